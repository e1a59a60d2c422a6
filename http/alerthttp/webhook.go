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

// Webhook is an address to which alerts are posted.
type Webhook struct {
	ID             alert.WebhookID       `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Name           string                `json:"name"`
	Host           string                `json:"host" doc:"Scheme and host of the address"`
	URL            string                `json:"url,omitempty" doc:"The whole address, which may hold a secret: for who may change it"`
	Enabled        bool                  `json:"enabled"`
	OffWhy         string                `json:"off_why" doc:"Why the server switched it off"`
	OldSecretUntil *time.Time            `json:"old_secret_until" doc:"Until then posts carry the signatures of both secrets"`
	CreatedBy      string                `json:"created_by"`
	CreatedAt      time.Time             `json:"created_at"`
	Secret         string                `json:"secret,omitempty" doc:"With it the receiver checks X-MyBeacon-Signature; it is shown once, when it is made"`
}

// Delivery is one post, or one mail.
type Delivery struct {
	ID         alert.DeliveryID `json:"id" format:"uuid" doc:"X-MyBeacon-Delivery: the same at each attempt"`
	Channel    string           `json:"channel" enum:"mail,webhook"`
	Recipient  string           `json:"recipient" doc:"E-mail, or the name of the webhook"`
	State      string           `json:"state" enum:"gathering,sending,sent,failed,refused" doc:"A mail is sent when the outbox has it"`
	Test       bool             `json:"test"`
	Alerts     int              `json:"alerts" doc:"How many it lists"`
	More       int              `json:"more" doc:"How many beyond those it counts only"`
	Attempts   int              `json:"attempts"`
	Status     int              `json:"status" doc:"Of HTTP; 0: there was no answer"`
	Error      string           `json:"error" doc:"What went wrong at the last attempt; never what the receiver answered"`
	CreatedAt  time.Time        `json:"created_at"`
	DueAt      time.Time        `json:"due_at"`
	FinishedAt *time.Time       `json:"finished_at"`
}

func deliveryShown(d alert.Delivery) Delivery {
	return Delivery{
		ID: d.ID, Channel: d.Channel, Recipient: d.Recipient, State: d.State, Test: d.Test, Alerts: d.Alerts, More: d.More, Attempts: d.Attempts,
		Status: d.Status, Error: d.Error, CreatedAt: d.CreatedAt.UTC(), DueAt: d.DueAt.UTC(), FinishedAt: optionalTime(d.FinishedAt),
	}
}

type hookOutput struct{ Body Webhook }

type hookList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
}

type newHook struct {
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin"`
		Name           string                `json:"name"`
		URL            string                `json:"url" maxLength:"2000" doc:"https://…, without user and password. It must not lead into private networks"`
	}
}

type changedHook struct {
	IDPath[alert.WebhookID]
	Body struct {
		Name         *string `json:"name,omitempty"`
		URL          *string `json:"url,omitempty" maxLength:"2000"`
		Enabled      *bool   `json:"enabled,omitempty"`
		RotateSecret bool    `json:"rotate_secret,omitempty" doc:"Make a new secret; for a day posts are signed with both"`
	}
}

type hookPath struct {
	shell.PageInput
	ID string `path:"id" format:"uuid"`
}

type deliveryOutput struct{ Body Delivery }

func (r *routes) webhooks(s *shell.Server, path string) {
	op := func(id, method, at, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path + at, Tags: []string{"webhooks"}, Summary: summary}
	}
	create := op("create-webhook", http.MethodPost, "", "Have alerts posted to an address")
	create.DefaultStatus = http.StatusCreated
	create.Description = "Posts carry X-MyBeacon-Signature: t=SECONDS,v1=HEX, the HMAC-SHA256 of \"SECONDS.BODY\" with the secret as it is shown (two v1 while a secret is " +
		"changed), X-MyBeacon-Delivery, by which repetitions are told, and X-MyBeacon-Event."
	remove := op("delete-webhook", http.MethodDelete, "/{id}", "Delete a webhook")
	remove.DefaultStatus = http.StatusNoContent
	test := op("test-webhook", http.MethodPost, "/{id}/test", "Post a test")
	test.DefaultStatus = http.StatusAccepted
	shell.Route(s, r.hookViewer, op("list-webhooks", http.MethodGet, "", "List webhooks by name"), r.listHooks)
	shell.Route(s, r.keeper, create, r.createHook)
	shell.Route(s, r.hookViewer, op("read-webhook", http.MethodGet, "/{id}", "Read a webhook"), r.readHook)
	shell.Route(s, r.keeper, op("change-webhook", http.MethodPatch, "/{id}", "Change a webhook, or its secret"), r.changeHook)
	shell.Route(s, r.keeper, remove, r.deleteHook)
	shell.Route(s, r.keeper, test, r.testHook)
	shell.Route(s, r.hookViewer, op("list-webhook-deliveries", http.MethodGet, "/{id}/deliveries", "List what was posted, the newest first"), r.listDeliveries)
}

// hookShown leaves the path out for who may not change it.
func hookShown(p shell.Principal, w alert.Webhook) Webhook {
	out := Webhook{
		ID: w.ID, OrganisationID: w.Organisation, Name: w.Name, Host: w.Host(), Enabled: w.Enabled, OffWhy: w.OffWhy,
		OldSecretUntil: optionalTime(w.OldUntil), CreatedBy: w.CreatedBy, CreatedAt: w.CreatedAt.UTC(),
	}
	if p.Decide(access.ManageUsers, access.Object{Organisation: w.Organisation}) == nil && p.Rights.Everywhere() {
		out.URL = w.URL
	}
	return out
}

func (r *routes) listHooks(ctx context.Context, in *hookList) (*shell.ListOutput[Webhook], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	scope, err := p.Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.Service.Webhooks(ctx, scope, page)
	return shell.Paged(&in.PageInput, found, next, func(w alert.Webhook) Webhook { return hookShown(p, w) }), err
}

// whole is for what reaches all of the organisation.
func whole(p shell.Principal) error {
	if !p.Rights.Everywhere() {
		return schema.Errorf(schema.Forbidden, "", "webhooks are of the whole organisation and you see some of its locations; ask another Owner")
	}
	return nil
}

func (r *routes) createHook(ctx context.Context, in *newHook) (*hookOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	if err := whole(p); err != nil {
		return nil, err
	}
	name, err := shell.CheckText("name", in.Body.Name, 1, 100)
	if err != nil {
		return nil, err
	}
	w, secret, err := r.Service.CreateWebhook(ctx, alert.Webhook{Organisation: organisation, Name: name, URL: in.Body.URL, CreatedBy: p.Email})
	out := hookShown(p, w)
	out.Secret = secret
	return &hookOutput{out}, err
}

func (r *routes) readHook(ctx context.Context, in *IDPath[alert.WebhookID]) (*hookOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	w, err := r.Service.Webhook(ctx, p.Scope(), id)
	return &hookOutput{hookShown(p, w)}, err
}

func (r *routes) changeHook(ctx context.Context, in *changedHook) (*hookOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	if err := whole(p); err != nil {
		return nil, err
	}
	change := alert.HookChange{URL: in.Body.URL, Enabled: in.Body.Enabled, Rotate: in.Body.RotateSecret}
	if in.Body.Name != nil {
		name, err := shell.CheckText("name", *in.Body.Name, 1, 100)
		if err != nil {
			return nil, err
		}
		change.Name = &name
	}
	w, secret, err := r.Service.ChangeWebhook(ctx, p.Scope(), id, change)
	out := hookShown(p, w)
	out.Secret = secret
	return &hookOutput{out}, err
}

func (r *routes) deleteHook(ctx context.Context, in *IDPath[alert.WebhookID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	if err := whole(p); err != nil {
		return nil, err
	}
	return nil, r.Service.DeleteWebhook(ctx, p.Scope(), id)
}

func (r *routes) testHook(ctx context.Context, in *IDPath[alert.WebhookID]) (*deliveryOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	if err := whole(p); err != nil {
		return nil, err
	}
	if _, err := r.Service.Webhook(ctx, p.Scope(), id); err != nil {
		return nil, err
	}
	if err := r.spendTest(p); err != nil {
		return nil, err
	}
	d, err := r.Service.TestWebhook(ctx, p.Scope(), id)
	return &deliveryOutput{deliveryShown(d)}, err
}

func (r *routes) listDeliveries(ctx context.Context, in *hookPath) (*shell.ListOutput[Delivery], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	id, err := shell.ParseID[alert.WebhookID](in.ID)
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	hook, err := r.Service.Webhook(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, hook.Organisation)
	found, next, err := r.Service.Deliveries(ctx, scope, id, page)
	return shell.Paged(&in.PageInput, found, next, deliveryShown), err
}
