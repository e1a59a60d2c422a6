package alerthttp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/alert"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Condition is when a rule is met.
type Condition struct {
	Kind         alert.Kind          `json:"kind" enum:"enter,leave,stay,capacity,tag_lost,receiver_silent,battery_low"`
	Location     schema.LocationID   `json:"location" format:"uuid" doc:"A rule is at one location, and its rights are that location's"`
	Zones        []schema.ZoneID     `json:"zones,omitempty" nullable:"false" maxItems:"200" doc:"Of enter, leave, stay, capacity; empty: each zone of the location"`
	Tags         []schema.TagID      `json:"tags,omitempty" nullable:"false" maxItems:"200" doc:"These and those of types; both empty: all tags"`
	Types        []string            `json:"types,omitempty" nullable:"false" maxItems:"3" enum:"person,asset,vehicle"`
	Receivers    []schema.ReceiverID `json:"receivers,omitempty" nullable:"false" maxItems:"200" doc:"Of receiver_silent; empty: all of the location"`
	AfterS       int                 `json:"after_s,omitempty" minimum:"0" maximum:"2592000" doc:"For how long: of stay, capacity, tag_lost, receiver_silent (60 or more of the last two)"`
	Limit        int                 `json:"limit,omitempty" minimum:"0" maximum:"100000" doc:"Of capacity: how many tags are allowed; 0: the capacity of the zone"`
	BelowPercent int                 `json:"below_percent,omitempty" minimum:"0" maximum:"99" doc:"Of battery_low"`
}

// Schedule is when a rule is looked at.
type Schedule struct {
	Days     []int  `json:"days,omitempty" nullable:"false" maxItems:"7" doc:"1 Monday to 7 Sunday; empty: every day"`
	From     string `json:"from" example:"22:00"`
	To       string `json:"to" example:"06:00" doc:"Not after from: on the next day. The hours after midnight belong to the day on which they began. Equal to from: the whole day"`
	TimeZone string `json:"time_zone,omitempty" doc:"IANA name; empty: the location's"`
}

// Notify is who is told.
type Notify struct {
	Console  bool              `json:"console" doc:"With a badge and a toast; the list shows all alerts anyway"`
	Emails   []string          `json:"emails,omitempty" nullable:"false" maxItems:"50" doc:"Of people of the organisation who have confirmed the address and may see the location"`
	Webhooks []alert.WebhookID `json:"webhooks,omitempty" nullable:"false" maxItems:"10"`
}

// AlertRule says when to tell whom.
type AlertRule struct {
	ID             alert.RuleID          `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Name           string                `json:"name"`
	Enabled        bool                  `json:"enabled"`
	LocationName   string                `json:"location_name"`
	Condition      Condition             `json:"condition"`
	Schedule       *Schedule             `json:"schedule" doc:"null: always"`
	Notify         Notify                `json:"notify"`
	MutedUntil     *time.Time            `json:"muted_until" doc:"null: not muted"`
	Names          map[string]string     `json:"names" doc:"What the zones, tags and receivers of the condition are called, by their ids; what is gone has no name"`
	Write          bool                  `json:"write" doc:"The caller may change it"`
	CreatedBy      string                `json:"created_by"`
	CreatedAt      time.Time             `json:"created_at"`
}

type ruleOutput struct{ Body AlertRule }

type ruleList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
}

type newRule struct {
	Body struct {
		Name      string    `json:"name"`
		Enabled   *bool     `json:"enabled,omitempty" doc:"Left out: true"`
		Condition Condition `json:"condition"`
		Schedule  *Schedule `json:"schedule,omitempty"`
		Notify    Notify    `json:"notify"`
	}
}

type changedRule struct {
	IDPath[alert.RuleID]
	Body struct {
		Name      *string    `json:"name,omitempty"`
		Enabled   *bool      `json:"enabled,omitempty"`
		Condition *Condition `json:"condition,omitempty"`
		Schedule  *Schedule  `json:"schedule,omitempty" doc:"Left out: as it is"`
		Always    bool       `json:"always,omitempty" doc:"Take the schedule away"`
		Notify    *Notify    `json:"notify,omitempty"`
	}
}

type muting struct {
	IDPath[alert.RuleID]
	Body struct {
		Until *time.Time `json:"until" nullable:"true" doc:"At most a year from now; null: not muted any more"`
	}
}

// Told is how many were sent a test.
type Told struct {
	Emails   int `json:"emails"`
	Webhooks int `json:"webhooks"`
}

type toldOutput struct{ Body Told }

func (r *routes) rules(s *shell.Server, path string) {
	op := func(id, method, at, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path + at, Tags: []string{"alerts"}, Summary: summary}
	}
	create := op("create-alert-rule", http.MethodPost, "", "Make an alert rule")
	create.DefaultStatus = http.StatusCreated
	remove := op("delete-alert-rule", http.MethodDelete, "/{id}", "Delete an alert rule")
	remove.Description = "Its alerts end and stay in the history."
	remove.DefaultStatus = http.StatusNoContent
	mute := op("mute-alert-rule", http.MethodPost, "/{id}/mute", "Tell nobody until a time")
	mute.Description = "What is raised meanwhile stands in the history."
	test := op("test-alert-rule", http.MethodPost, "/{id}/test", "Send a test to who is told")
	test.DefaultStatus = http.StatusAccepted
	shell.Route(s, r.viewer, op("list-alert-rules", http.MethodGet, "", "List alert rules by name"), r.listRules)
	shell.Route(s, r.editor, create, r.createRule)
	shell.Route(s, r.viewer, op("read-alert-rule", http.MethodGet, "/{id}", "Read an alert rule"), r.readRule)
	shell.Route(s, r.editor, op("change-alert-rule", http.MethodPatch, "/{id}", "Change an alert rule"), r.changeRule)
	shell.Route(s, r.editor, remove, r.deleteRule)
	shell.Route(s, r.editor, mute, r.muteRule)
	shell.Route(s, r.editor, test, r.testRule)
}

func (c Condition) rule() alert.Condition {
	return alert.Condition{
		Kind: c.Kind, Location: c.Location, Zones: c.Zones, Tags: c.Tags, Types: c.Types, Receivers: c.Receivers,
		After: time.Duration(c.AfterS) * time.Second, Most: c.Limit, Below: c.BelowPercent,
	}
}

func (s *Schedule) rule() *alert.Schedule {
	if s == nil {
		return nil
	}
	return &alert.Schedule{Days: s.Days, From: s.From, To: s.To, TimeZone: s.TimeZone}
}

func (n Notify) rule() alert.Notify {
	return alert.Notify{Console: n.Console, Emails: n.Emails, Webhooks: n.Webhooks}
}

// shown returns a rule with the names of what it is about.
func (r *routes) shown(ctx context.Context, rule alert.Rule) (AlertRule, error) {
	p := shell.PrincipalOf(ctx)
	names, err := r.Things.AlertNames(ctx, p.Scope(), rule.Location, rule.Condition)
	if err != nil {
		return AlertRule{}, err
	}
	c := rule.Condition
	out := AlertRule{
		ID: rule.ID, OrganisationID: rule.Organisation, Name: rule.Name, Enabled: rule.Enabled, LocationName: rule.LocationName,
		Condition: Condition{
			Kind: c.Kind, Location: c.Location, Zones: c.Zones, Tags: c.Tags, Types: c.Types, Receivers: c.Receivers,
			AfterS: int(c.After.Seconds()), Limit: c.Most, BelowPercent: c.Below,
		},
		Notify:     Notify{rule.Notify.Console, rule.Notify.Emails, rule.Notify.Webhooks},
		MutedUntil: optionalTime(rule.MutedUntil), Names: make(map[string]string, len(names)),
		Write: mayEdit(p, rule), CreatedBy: rule.CreatedBy, CreatedAt: rule.CreatedAt.UTC(),
	}
	if at := rule.Schedule; at != nil {
		out.Schedule = &Schedule{at.Days, at.From, at.To, at.TimeZone}
	}
	for id, name := range names {
		out.Names[schema.TagID(id).String()] = name
	}
	return out, nil
}

func (r *routes) listRules(ctx context.Context, in *ruleList) (*shell.ListOutput[AlertRule], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.Service.Rules(ctx, scope, alert.RuleFilter{Location: in.Location}, page)
	if err != nil {
		return nil, err
	}
	shown := make([]AlertRule, len(found))
	for i, rule := range found {
		if shown[i], err = r.shown(ctx, rule); err != nil {
			return nil, err
		}
	}
	return shell.Paged(&in.PageInput, shown, next, func(a AlertRule) AlertRule { return a }), nil
}

func (r *routes) createRule(ctx context.Context, in *newRule) (*ruleOutput, error) {
	p := shell.PrincipalOf(ctx)
	name, err := shell.CheckText("name", in.Body.Name, 1, 200)
	if err != nil {
		return nil, err
	}
	rule := alert.Rule{
		Name: name, Enabled: in.Body.Enabled == nil || *in.Body.Enabled, Condition: in.Body.Condition.rule(),
		Schedule: in.Body.Schedule.rule(), Notify: in.Body.Notify.rule(), CreatedBy: p.Email,
	}
	if err := r.checkThings(ctx, p.Scope(), rule.Condition); err != nil {
		return nil, err
	}
	rule, err = r.Service.CreateRule(ctx, p.Scope(), rule)
	return r.output(ctx, rule, err)
}

// checkThings is NotFound for what is not there, or not at the location of the rule.
func (r *routes) checkThings(ctx context.Context, scope postgres.Scope, c alert.Condition) error {
	if !scope.Sees(c.Location) {
		return schema.Errorf(schema.NotFound, "condition.location", "there is no such location")
	}
	names, err := r.Things.AlertNames(ctx, scope, c.Location, c)
	if err != nil {
		return err
	}
	return firstMissing(
		missing(names, "zones", "zone at this location", c.Zones),
		missing(names, "tags", "tag", c.Tags),
		missing(names, "receivers", "receiver at this location", c.Receivers),
	)
}

func missing[K any](names alert.Names, field, what string, ids []schema.ID[K]) error {
	for i, id := range ids {
		if _, ok := names[id]; !ok {
			return schema.Errorf(schema.NotFound, "condition."+field+"["+strconv.Itoa(i)+"]", "there is no such %s", what)
		}
	}
	return nil
}

func firstMissing(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *routes) output(ctx context.Context, rule alert.Rule, err error) (*ruleOutput, error) {
	if err != nil {
		return nil, err
	}
	shown, err := r.shown(ctx, rule)
	return &ruleOutput{shown}, err
}

func (r *routes) readRule(ctx context.Context, in *IDPath[alert.RuleID]) (*ruleOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	rule, err := r.Service.Rule(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return r.output(ctx, rule, err)
}

func (r *routes) changeRule(ctx context.Context, in *changedRule) (*ruleOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	if c := in.Body.Condition; c != nil {
		if err := r.checkThings(ctx, scope, c.rule()); err != nil {
			return nil, err
		}
	}
	rule, err := r.Service.ChangeRule(ctx, scope, id, in.apply)
	return r.output(ctx, rule, err)
}

// apply changes what was sent.
func (in *changedRule) apply(rule *alert.Rule) (err error) {
	b := &in.Body
	if b.Name != nil {
		if rule.Name, err = shell.CheckText("name", *b.Name, 1, 200); err != nil {
			return err
		}
	}
	if b.Enabled != nil {
		rule.Enabled = *b.Enabled
	}
	if b.Condition != nil {
		rule.Condition = b.Condition.rule()
	}
	if b.Schedule != nil {
		rule.Schedule = b.Schedule.rule()
	}
	if b.Always {
		rule.Schedule = nil
	}
	if b.Notify != nil {
		rule.Notify = b.Notify.rule()
	}
	return nil
}

func (r *routes) deleteRule(ctx context.Context, in *IDPath[alert.RuleID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.Service.DeleteRule(ctx, shell.PrincipalOf(ctx).Scope(), id)
}

// longestMute is what nobody has forgotten yet.
const longestMute = 366 * 24 * time.Hour

func (r *routes) muteRule(ctx context.Context, in *muting) (*ruleOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	var until time.Time
	if in.Body.Until != nil {
		until = *in.Body.Until
	}
	if until.After(r.shell.Now().Add(longestMute)) {
		return nil, schema.Errorf(schema.Invalid, "until", "is more than a year away: switch the rule off instead")
	}
	rule, err := r.Service.ChangeRule(ctx, shell.PrincipalOf(ctx).Scope(), id, func(rule *alert.Rule) error {
		rule.MutedUntil = until
		return nil
	})
	return r.output(ctx, rule, err)
}

func (r *routes) testRule(ctx context.Context, in *IDPath[alert.RuleID]) (*toldOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	if _, err := r.Service.Rule(ctx, p.Scope(), id); err != nil {
		return nil, err
	}
	if err := r.spendTest(p); err != nil {
		return nil, err
	}
	emails, hooks, err := r.Service.TestRule(ctx, p.Scope(), id)
	return &toldOutput{Told{emails, hooks}}, err
}

func mayEdit(p shell.Principal, rule alert.Rule) bool {
	return p.Decide(access.EditPlans, access.Object{Organisation: rule.Organisation, Location: rule.Location}) == nil
}
