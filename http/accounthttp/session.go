package accounthttp

import (
	"context"
	"time"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
)

// Session is a log-in as its person sees it.
type Session struct {
	ID        postgres.LoginID `json:"id" format:"uuid"`
	CreatedAt time.Time        `json:"created_at"`
	LastSeen  time.Time        `json:"last_seen" doc:"To the minute"`
	Address   string           `json:"address"`
	Agent     string           `json:"agent" doc:"What the browser calls itself"`
	Current   bool             `json:"current" doc:"The one that asks"`
}

func (r *routes) sessions(s *shell.Server) {
	const path = "/api/v1/auth/sessions"
	shell.Route(s, shell.SignedIn(), op("auth", "list-sessions", "GET", path, "List one's own sessions, the newest first"), r.listSessions)
	shell.Route(s, shell.SignedIn(), answering(op("auth", "end-session", "DELETE", path+"/{id}", "End one of one's own sessions"), done), r.endSession)
	shell.Route(s, shell.SignedIn(), answering(op("auth", "end-sessions", "DELETE", path, "End all of one's own sessions but this one"), done), r.endSessions)
}

func (r *routes) listSessions(ctx context.Context, in *shell.PageInput) (*shell.ListOutput[Session], error) {
	p := shell.PrincipalOf(ctx)
	found, err := r.DB.Logins(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return shell.Paged(in, found, postgres.Cursor{}, func(l postgres.Login) Session {
		return Session{ID: l.ID, CreatedAt: l.CreatedAt.UTC(), LastSeen: l.LastSeen.UTC(), Address: l.Address, Agent: l.Agent, Current: l.ID == p.Login}
	}), nil
}

func (r *routes) endSession(ctx context.Context, in *IDPath[postgres.LoginID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	err = r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		postgres.NoteSessionsEnded(tx, personOf(p), "one")
		return postgres.EndLogin(ctx, tx, p.ID, id)
	})
	r.changed(ctx)
	return nil, err
}

func (r *routes) endSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	p := shell.PrincipalOf(ctx)
	err := r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		postgres.NoteSessionsEnded(tx, personOf(p), "all others")
		return postgres.EndLogins(ctx, tx, p.ID, p.Login)
	})
	r.changed(ctx)
	return nil, err
}
