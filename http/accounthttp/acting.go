package accounthttp

import (
	"context"

	shell "mybeacon/http"
	"mybeacon/schema"
)

type actingInput struct {
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
		Reason         string                `json:"reason" maxLength:"500" doc:"Why; the organisation reads it in its audit log"`
	}
}

func (r *routes) acting(s *shell.Server) {
	const path = "/api/v1/auth/acting"
	begin := op("auth", "begin-acting", "PUT", path, "Act inside an organisation as a super-admin")
	begin.Description = "With this session or API token only, for at most eight hours. The organisation's audit log says so, with the reason."
	shell.Route(s, shell.Admins(), begin, r.beginActing)
	shell.Route(s, shell.Admins(), answering(op("auth", "end-acting", "DELETE", path, "Leave the organisation"), done), r.endActing)
}

func (r *routes) beginActing(ctx context.Context, in *actingInput) (*shell.MeOutput, error) {
	reason, err := shell.CheckText("reason", in.Body.Reason, 3, 500)
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	if err := r.DB.BeginActing(ctx, p.Identity, in.Body.OrganisationID, reason); err != nil {
		return nil, err
	}
	r.changed(ctx)
	now, err := p.Again(ctx)
	if err != nil {
		return nil, err
	}
	me, err := r.shell.Me(ctx, now)
	return &shell.MeOutput{Body: me}, err
}

func (r *routes) endActing(ctx context.Context, _ *struct{}) (*struct{}, error) {
	err := r.DB.EndActing(ctx, shell.PrincipalOf(ctx).Identity)
	r.changed(ctx)
	return nil, err
}
