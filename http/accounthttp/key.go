package accounthttp

import (
	"context"
	"slices"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Key is an API key of an organisation.
type Key struct {
	ID        postgres.KeyID   `json:"id" format:"uuid"`
	Name      string           `json:"name"`
	Prefix    string           `json:"prefix" doc:"Its first characters, to tell keys apart"`
	Actions   []access.Action  `json:"actions" nullable:"false"`
	Limited   bool             `json:"limited" doc:"To the locations"`
	Locations []PersonLocation `json:"locations" nullable:"false"`
	CreatedBy string           `json:"created_by" doc:"E-mail of who made it"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at"`
	LastUsed  *time.Time       `json:"last_used" doc:"To the minute; null: never"`
	Key       string           `json:"key,omitempty" doc:"Send it as Authorization: Bearer …; it is shown once, when it is made"`
}

func keyShown(k postgres.Key) Key {
	return Key{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, Actions: k.Actions, Limited: k.Limited, Locations: locationsShown(k.Locations),
		CreatedBy: k.CreatedByEmail, CreatedAt: k.CreatedAt.UTC(), ExpiresAt: k.ExpiresAt.UTC(), LastUsed: optionalTime(k.LastUsed),
	}
}

type keyOutput struct{ Body Key }

type newKeyInput struct {
	Body struct {
		Name          string          `json:"name" minLength:"1" maxLength:"100" doc:"What it is for"`
		Actions       []access.Action `json:"actions" nullable:"false" minItems:"1" maxItems:"8" enum:"view,export,device_settings,manage_tags,manage_users,edit_plans,read_audit,open_dashboard"`
		Locations     Locations       `json:"locations,omitempty"`
		ExpiresInDays int             `json:"expires_in_days,omitempty" minimum:"1" maximum:"365" default:"90"`
	}
}

func (r *routes) keys(s *shell.Server) {
	const path = "/api/v1/client/keys"
	rule := shell.May(access.ManageUsers)
	shell.Route(s, rule, op("people", "list-keys", "GET", path, "List the organisation's API keys by name"), r.listKeys)
	create := op("people", "create-key", "POST", path, "Make an API key of the organisation")
	create.Description = "It never may more than who made it may at the moment of use, and ends with his account."
	shell.Route(s, rule, answering(create, created), r.createKey)
	shell.Route(s, rule, answering(op("people", "delete-key", "DELETE", path+"/{id}", "End an API key"), done), r.deleteKey)
}

func (r *routes) listKeys(ctx context.Context, in *shell.PageInput) (*shell.ListOutput[Key], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	_, scope, err := own(ctx)
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.Keys(ctx, scope, page)
	return shell.Paged(in, found, next, keyShown), err
}

// createKey is for people only: a leaked key must not be able to outlive its expiry by
// making its own successor.
func (r *routes) createKey(ctx context.Context, in *newKeyInput) (*keyOutput, error) {
	p := shell.PrincipalOf(ctx)
	if p.Rights.Key {
		return nil, schema.Errorf(schema.Forbidden, "", "an API key cannot make keys; log in")
	}
	name, err := shell.CheckText("name", in.Body.Name, 1, 100)
	if err != nil {
		return nil, err
	}
	actions := slices.Sorted(slices.Values(in.Body.Actions))
	secret := postgres.NewSecret(postgres.APIKeyPrefix)
	k := postgres.Key{
		ID: schema.NewID[postgres.KeyID](), Name: name, Actions: slices.Compact(actions), CreatedBy: p.ID,
		ExpiresAt: r.shell.Now().AddDate(0, 0, in.Body.ExpiresInDays).UTC().Truncate(time.Second),
	}
	if p.Rights.SuperAdmin { // the key must not outlive what he gave a reason for
		k.ExpiresAt = p.Since.Add(postgres.ActingLife).UTC().Truncate(time.Second)
	}
	var limits postgres.Person
	in.Body.Locations.apply(&limits)
	k.Limited, k.Locations = limits.Limited, limits.Locations
	err = r.amongPeople(ctx, func(tx postgres.Tx, o postgres.Organisation, by access.Principal) error {
		k.Organisation = o.ID
		given := access.Principal{Key: true, Organisation: o.ID, Role: access.Owner, Only: k.Actions, Limited: k.Limited, Grants: limits.Rights().Grants}
		if err := covers(by, given); err != nil {
			return err
		}
		return postgres.InsertKey(ctx, tx, k, secret)
	})
	if err != nil {
		return nil, err
	}
	stored, err := r.DB.Key(ctx, postgres.In(k.Organisation), k.ID)
	out := &keyOutput{keyShown(stored)}
	out.Body.Key = secret
	return out, err
}

func (r *routes) deleteKey(ctx context.Context, in *IDPath[postgres.KeyID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	_, scope, err := own(ctx)
	if err == nil {
		err = r.DB.DeleteKey(ctx, scope, id)
	}
	r.changed(ctx)
	return nil, err
}
