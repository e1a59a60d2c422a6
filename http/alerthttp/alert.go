package alerthttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/alert"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Config is what the routes need besides the shell.
type Config struct {
	// Product is whose things rules name: the routes are below its address, and there
	// is nothing while it is switched off.
	Product string
	Service *alert.Service
	Things  alert.Things
}

type routes struct {
	Config
	shell *shell.Server
	// viewer may look, editor change rules and acknowledge, keeper change webhooks.
	viewer, editor, keeper shell.Rule
	hookViewer             shell.Rule
	tests                  *shell.Allowance
}

// testRate is as often as somebody tries who sets up a receiver: tests reach other
// people's mailboxes and machines.
var testRate = shell.Rate{PerSecond: 0.1, Burst: 5}

// spendTest counts a test of who asks.
func (r *routes) spendTest(p shell.Principal) error { return r.tests.Take(p.Account.ID, 1) }

// Register adds the routes to the server.
func Register(s *shell.Server, cfg Config) {
	r := &routes{
		Config: cfg, shell: s,
		viewer:     shell.May(access.View).Of(cfg.Product),
		editor:     shell.May(access.EditPlans).Of(cfg.Product),
		hookViewer: shell.May(access.View),
		keeper:     shell.May(access.ManageUsers),
		tests:      shell.NewAllowance(testRate, "tests"),
	}
	root := "/api/v1/client/" + cfg.Product
	r.rules(s, root+"/alert-rules")
	r.alerts(s, root+"/alerts")
	r.webhooks(s, "/api/v1/client/webhooks")
}

// IDPath is the input of what acts on one object. It is exported because huma looks into
// exported parts of an input only.
type IDPath[I ~[16]byte] struct {
	ID string `path:"id" format:"uuid"`
}

func (p IDPath[I]) parse() (I, error) { return shell.ParseID[I](p.ID) }

// optionalTime is null in JSON while unset.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// optionalID is null in JSON while unset.
func optionalID[K any](id schema.ID[K]) *schema.ID[K] {
	if id.IsZero() {
		return nil
	}
	return &id
}

// Alert is one time that a rule was met.
type Alert struct {
	ID             alert.ID              `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Rule           alert.RuleID          `json:"rule" format:"uuid" doc:"It may have been deleted since"`
	RuleName       string                `json:"rule_name"`
	Kind           alert.Kind            `json:"kind" enum:"enter,leave,stay,capacity,tag_lost,receiver_silent,battery_low"`
	Location       schema.LocationID     `json:"location" format:"uuid"`
	LocationName   string                `json:"location_name"`
	Plan           *schema.PlanID        `json:"plan" format:"uuid"`
	State          string                `json:"state" enum:"open,acknowledged,closed"`
	BeganAt        time.Time             `json:"began_at" doc:"When the tag entered, left or was last heard, the zone was full, the receiver spoke last"`
	At             time.Time             `json:"at" doc:"When the condition was met"`
	RaisedAt       time.Time             `json:"raised_at" doc:"When the server found out"`
	EndedAt        *time.Time            `json:"ended_at" doc:"null: the cause goes on"`
	Tag            *schema.TagID         `json:"tag" format:"uuid"`
	TagName        string                `json:"tag_name"`
	TagType        string                `json:"tag_type" doc:"person, asset, vehicle; empty where it is about no tag"`
	Zone           *schema.ZoneID        `json:"zone" format:"uuid"`
	ZoneName       string                `json:"zone_name"`
	Receiver       *schema.ReceiverID    `json:"receiver" format:"uuid"`
	ReceiverName   string                `json:"receiver_name"`
	Value          int                   `json:"value" doc:"Tags in the zone, or per cent of the battery"`
	Bound          int                   `json:"bound" doc:"What the rule allows: seconds, tags or per cent"`
	Console        bool                  `json:"console" doc:"It asks for attention in the console"`
	Muted          bool                  `json:"muted" doc:"The rule was muted: nobody was told"`
	AcknowledgedBy string                `json:"acknowledged_by" doc:"E-mail; empty: nobody has"`
	AcknowledgedAt *time.Time            `json:"acknowledged_at"`
	Note           string                `json:"note"`
	Deliveries     []Delivery            `json:"deliveries" nullable:"false" doc:"Who was told that it was raised"`
}

func alertShown(a alert.Alert) Alert {
	out := Alert{
		ID: a.ID, OrganisationID: a.Organisation, Rule: a.Rule, RuleName: a.RuleName, Kind: a.Kind, Location: a.Location, LocationName: a.LocationName,
		Plan: optionalID(a.Plan), State: a.State(), BeganAt: a.BeganAt.UTC(), At: a.At.UTC(), RaisedAt: a.RaisedAt.UTC(), EndedAt: optionalTime(a.EndedAt),
		Tag: optionalID(a.Tag), TagName: a.TagName, TagType: a.TagType, Zone: optionalID(a.Zone), ZoneName: a.ZoneName,
		Receiver: optionalID(a.Receiver), ReceiverName: a.ReceiverName, Value: a.Value, Bound: a.Bound, Console: a.Console, Muted: a.Muted,
		AcknowledgedBy: a.AcknowledgedBy, AcknowledgedAt: optionalTime(a.AcknowledgedAt), Note: a.Note,
		Deliveries: make([]Delivery, len(a.Deliveries)),
	}
	for i, d := range a.Deliveries {
		out.Deliveries[i] = deliveryShown(d)
	}
	return out
}

type alertOutput struct{ Body Alert }

type alertList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	State          string                `query:"state" enum:"open,acknowledged,closed"`
	Rule           alert.RuleID          `query:"rule" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
	Kind           alert.Kind            `query:"kind" enum:"enter,leave,stay,capacity,tag_lost,receiver_silent,battery_low"`
	From           time.Time             `query:"from" doc:"Raised then or later"`
	To             time.Time             `query:"to" doc:"Raised before"`
}

type alertCount struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
}

// Counts is how many alerts for the console have not ended.
type Counts struct {
	Open         int       `json:"open" doc:"Up to 1000"`
	Acknowledged int       `json:"acknowledged" doc:"Up to 1000"`
	Newest       *alert.ID `json:"newest" format:"uuid" doc:"The open alert that was raised last"`
}

type countOutput struct{ Body Counts }

type acknowledgement struct {
	IDPath[alert.ID]
	Body struct {
		Note string `json:"note,omitempty" maxLength:"1000" doc:"What was done"`
	}
}

func (r *routes) alerts(s *shell.Server, path string) {
	tags := []string{"alerts"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-alerts", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List alerts, the newest first",
	}, r.listAlerts)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "count-alerts", Method: http.MethodGet, Path: path + "/count", Tags: tags, Summary: "Count the alerts that have not ended",
		Description: "Of those that ask for attention in the console. Made to be asked every few seconds: If-None-Match answers 304 while nothing is new.",
	}, r.countAlerts)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "read-alert", Method: http.MethodGet, Path: path + "/{id}", Tags: tags, Summary: "Read an alert",
	}, r.readAlert)
	shell.Route(s, r.editor, huma.Operation{
		OperationID: "acknowledge-alert", Method: http.MethodPost, Path: path + "/{id}/acknowledge", Tags: tags, Summary: "Say that somebody has seen to it",
		Description: "Whoever says so first stays; a further note replaces the one before.",
	}, r.acknowledge)
}

func (r *routes) listAlerts(ctx context.Context, in *alertList) (*shell.ListOutput[Alert], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	filter := alert.Filter{State: in.State, Rule: in.Rule, Location: in.Location, Kind: in.Kind, From: in.From, To: in.To}
	found, next, err := r.Service.Alerts(ctx, scope, filter, page)
	return shell.Paged(&in.PageInput, found, next, alertShown), err
}

func (r *routes) countAlerts(ctx context.Context, in *alertCount) (*countOutput, error) {
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	c, err := r.Service.Count(ctx, scope, alert.Filter{Location: in.Location})
	return &countOutput{Counts{Open: c.Open, Acknowledged: c.Acknowledged, Newest: optionalID(c.Newest)}}, err
}

func (r *routes) readAlert(ctx context.Context, in *IDPath[alert.ID]) (*alertOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := r.Service.Alert(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return &alertOutput{alertShown(found)}, err
}

func (r *routes) acknowledge(ctx context.Context, in *acknowledgement) (*alertOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	note, err := shell.CheckText("note", in.Body.Note, 0, 1000)
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	by := p.Email
	if p.KeyName != "" {
		by = p.KeyName
	}
	found, err := r.Service.Acknowledge(ctx, p.Scope(), id, by, note)
	return &alertOutput{alertShown(found)}, err
}
