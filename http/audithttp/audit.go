package audithttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

const (
	root  = "/api/v1/client/audit"
	admin = "/api/v1/admin/audit"
)

// Entry is one line of the audit log.
type Entry struct {
	ID               string                `json:"id"`
	At               time.Time             `json:"at"`
	OrganisationID   schema.OrganisationID `json:"organisation_id" doc:"Empty: the system's own log"`
	OrganisationName string                `json:"organisation_name"`
	User             string                `json:"user" doc:"E-mail of who did it; empty for the server, for nobody known, and once erased"`
	UserID           schema.UserID         `json:"user_id" doc:"Empty for the server and for nobody known"`
	Action           audit.Action          `json:"action" enum:"login,login_failed,logout,view,create,change,delete,export,users,tunnel,switch,system"`
	Object           Object                `json:"object"`
	Fields           []Field               `json:"fields" nullable:"false" doc:"What changed, or what was looked at or exported"`
	Address          string                `json:"address" doc:"From where; empty for the server and once erased"`
	Key              string                `json:"key,omitempty" doc:"The API key that was used"`
	Reason           string                `json:"reason,omitempty" doc:"Why a super-admin acted in the organisation"`
	Erased           bool                  `json:"erased,omitempty" doc:"Personal values were erased since"`
}

// Object is what something was done to, as it was called then.
type Object struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Field is one value that changed.
type Field struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// pageRate is more pages than a person opens, and few enough that nobody fills the log.
var pageRate = shell.Rate{PerSecond: 1, Burst: 300}

type routes struct {
	db    *postgres.DB
	views *shell.Allowance
}

// Register adds the routes to the server.
func Register(s *shell.Server, db *postgres.DB) {
	r := &routes{db, shell.NewAllowance(pageRate, "page views")}
	tags := []string{"audit"}
	shell.Route(s, shell.May(access.ReadAudit), huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: root, Tags: tags, Summary: "Read the organisation's audit log, the newest first",
	}, r.list)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "list-all-audit", Method: http.MethodGet, Path: admin, Tags: tags, Summary: "Read the audit log of all organisations, of one, or the system's",
	}, r.listAll)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "verify-audit", Method: http.MethodPost, Path: admin + "/verify", Tags: tags,
		Summary: "Verify all chains of the audit log", Middlewares: huma.Middlewares{patient},
	}, r.verify)
	shell.Route(s, shell.SignedIn(), huma.Operation{
		OperationID: "add-page-views", Method: http.MethodPost, Path: root + "/pages", Tags: tags,
		Summary:       "Tell which pages were opened",
		Description:   "Answered when they are stored. A beacon of a page that closes may send the same as text/plain.",
		DefaultStatus: http.StatusNoContent, Middlewares: huma.Middlewares{beacon},
	}, r.pages)
	r.exports(s, tags)
}

// Filter is what narrows the log, in lists and exports.
type Filter struct {
	User   string    `query:"user" maxLength:"254" doc:"Whole e-mail or id of who did it"`
	Action string    `query:"action" enum:"login,login_failed,logout,view,create,change,delete,export,users,tunnel,switch,system"`
	From   time.Time `query:"from" doc:"The beginning of the time, included"`
	To     time.Time `query:"to" doc:"The end of the time, not included"`
	Query  string    `query:"query" maxLength:"200" doc:"Part of a name, value, e-mail or address"`
}

func (f Filter) store() postgres.AuditFilter {
	out := postgres.AuditFilter{Action: audit.Action(f.Action), From: f.From, To: f.To, Query: f.Query}
	if id, err := schema.ParseID[schema.UserID](f.User); err == nil {
		out.User = id
	} else {
		out.Email = f.User
	}
	return out
}

// Everywhere narrows the log further for super-admins.
type Everywhere struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	System         bool                  `query:"system" doc:"The system's own log only"`
}

func (e Everywhere) scope(f *postgres.AuditFilter) postgres.Scope {
	f.System = e.System
	if e.OrganisationID.IsZero() || e.System {
		return postgres.AllOrganisations()
	}
	return postgres.In(e.OrganisationID)
}

type listInput struct {
	shell.PageInput
	Filter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
}

// within returns whose log the caller asks for. It tells of all locations, so that who
// is limited to some may not read it.
func within(ctx context.Context, organisation schema.OrganisationID) (postgres.Scope, error) {
	p := shell.PrincipalOf(ctx)
	if !p.Rights.Everywhere() {
		return postgres.Scope{}, schema.Errorf(schema.Forbidden, "", "the audit log tells of all locations, and you are limited to some; ask an Owner")
	}
	return p.Within(organisation)
}

func (r *routes) list(ctx context.Context, in *listInput) (*shell.ListOutput[Entry], error) {
	scope, err := within(ctx, in.OrganisationID)
	if err != nil {
		return nil, err
	}
	return r.read(ctx, scope, in.store(), &in.PageInput)
}

type listAllInput struct {
	shell.PageInput
	Filter
	Everywhere
}

func (r *routes) listAll(ctx context.Context, in *listAllInput) (*shell.ListOutput[Entry], error) {
	f := in.store()
	return r.read(ctx, in.scope(&f), f, &in.PageInput)
}

func (r *routes) read(ctx context.Context, scope postgres.Scope, f postgres.AuditFilter, in *shell.PageInput) (*shell.ListOutput[Entry], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.db.AuditLog(ctx, scope, f, page)
	if err != nil {
		return nil, err
	}
	return shell.Paged(in, found, next, entryOf), nil
}

func entryOf(l postgres.AuditLine) Entry {
	e := Entry{
		ID: l.ID, At: l.At.UTC(), OrganisationID: l.Organisation, OrganisationName: l.OrganisationName,
		User: l.By.Email, UserID: l.By.User, Action: l.Action,
		Object: Object{Kind: l.Object.Kind, ID: l.Object.ID, Name: l.Object.Name}, Fields: make([]Field, len(l.Fields)),
		Address: l.From, Key: l.By.Key, Reason: l.By.Reason, Erased: l.Erased,
	}
	for i, f := range l.Fields {
		e.Fields[i] = Field{Name: f.Name, Old: f.Old, New: f.New}
	}
	return e
}

type verified struct {
	Body struct {
		Entries int64          `json:"entries"`
		Chains  int64          `json:"chains" doc:"One of each organisation and one of the system"`
		Broken  []audit.Broken `json:"broken" nullable:"false" doc:"Empty while nothing was tampered with"`
	}
}

func (r *routes) verify(ctx context.Context, _ *struct{}) (*verified, error) {
	result, err := r.db.VerifyAudit(ctx, postgres.AllOrganisations())
	if err != nil {
		return nil, err
	}
	out := &verified{}
	out.Body.Entries, out.Body.Chains, out.Body.Broken = result.Entries, result.Chains, append([]audit.Broken{}, result.Details...)
	return out, nil
}
