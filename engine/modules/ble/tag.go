package ble

import (
	"context"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Tag returns one tag of the scope with what is heard of it, or NotFound.
func (m *Module) Tag(ctx context.Context, scope postgres.Scope, id schema.TagID) (TagView, error) {
	t, err := m.store.Tag(ctx, scope, id)
	if err != nil {
		return TagView{}, err
	}
	return m.viewOf(ctx, scope, t), nil
}

// CreateTag registers a transmitter of the organisation, which carries from now on
// what t says.
func (m *Module) CreateTag(ctx context.Context, organisation schema.OrganisationID, t store.Tag) (store.Tag, error) {
	if err := checkTag(t); err != nil {
		return store.Tag{}, err
	}
	t, on, err := m.store.CreateTag(ctx, organisation, t)
	if err == nil && on {
		m.extend(t)
	}
	if err == nil {
		m.ears.Registered(organisation, t.Transmitter)
	}
	return t, err
}

// TagPatch is what to correct of a tag; nil fields stay.
type TagPatch struct {
	Type        *string
	Name        *string
	Description *string
}

// ChangeTag corrects what the tag and its present binding are called. Who binds it to
// something else calls [Module.BindTag].
func (m *Module) ChangeTag(ctx context.Context, scope postgres.Scope, id schema.TagID, patch TagPatch) (TagView, error) {
	t, err := m.store.ChangeTag(ctx, scope, id, func(t *store.Tag) error {
		if t.BoundAt == nil && patch != (TagPatch{}) {
			return schema.Errorf(schema.Conflict, "", "the tag is bound to nothing; bind it to give it a name")
		}
		set(&t.Type, patch.Type)
		set(&t.Name, patch.Name)
		set(&t.Description, patch.Description)
		return checkTag(*t)
	})
	return m.changedTag(ctx, scope, t, err)
}

// RemoveTag deletes a tag; what was stored of its ways stays.
func (m *Module) RemoveTag(ctx context.Context, scope postgres.Scope, id schema.TagID) error {
	return m.after(ctx, m.store.RemoveTag(ctx, scope, id))
}

// Bindings returns what the tag was bound to, the newest first.
func (m *Module) Bindings(ctx context.Context, scope postgres.Scope, id schema.TagID) ([]store.Binding, error) {
	return m.store.Bindings(ctx, scope, id)
}

// Bound is what a tag is bound to.
type Bound struct {
	Type        string
	Name        string
	Description string
}

// BindTag ends what the tag is bound to and binds it to something else from now on.
func (m *Module) BindTag(ctx context.Context, scope postgres.Scope, id schema.TagID, to Bound) (TagView, error) {
	next := store.Tag{Tag: schema.Tag{Type: to.Type, Name: to.Name}, Description: to.Description}
	if err := checkBound(next); err != nil {
		return TagView{}, err
	}
	t, err := m.store.BindTag(ctx, scope, id, next)
	return m.changedTag(ctx, scope, t, err)
}

// UnbindTag ends what the tag is bound to: from now on it is called by what it sends.
func (m *Module) UnbindTag(ctx context.Context, scope postgres.Scope, id schema.TagID) (TagView, error) {
	t, err := m.store.UnbindTag(ctx, scope, id)
	return m.changedTag(ctx, scope, t, err)
}

// changedTag publishes what a tag is called now. The others stay as they are, so
// that a change costs the same however many there are.
func (m *Module) changedTag(ctx context.Context, scope postgres.Scope, t store.Tag, err error) (TagView, error) {
	if err != nil {
		return TagView{}, err
	}
	m.extend(t)
	return m.viewOf(ctx, scope, t), nil
}

// Batteries returns the tags of the organisation whose battery was below so many
// percent when they last said, the lowest first and at most most of them; for who warns of it.
func (m *Module) Batteries(ctx context.Context, organisation schema.OrganisationID, belowPercent, most int) ([]store.Battery, error) {
	return m.store.Batteries(ctx, organisation, belowPercent, most)
}
