package ble

import (
	"context"

	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// SetPhoto makes a square photo of the picture and gives it to the tag.
func (m *Module) SetPhoto(ctx context.Context, scope postgres.Scope, id schema.TagID, content []byte) (TagView, error) {
	// A picture is decoded only for who has the tag: it costs memory and time.
	t, err := m.store.Tag(ctx, scope, id)
	if err != nil {
		return TagView{}, err
	}
	if t.BoundAt == nil {
		return TagView{}, unboundHasNoPhoto()
	}
	picture, err := m.host.Images.Square(ctx, content, images.ForPhotos())
	if err != nil {
		return TagView{}, err
	}
	digest, err := m.host.Files.Put(ctx, t.Organisation, picture.Content)
	if err != nil {
		return TagView{}, err
	}
	return m.changePhoto(ctx, scope, id, string(digest))
}

func unboundHasNoPhoto() error {
	return schema.Errorf(schema.Conflict, "", "the tag is bound to nothing; bind it to give it a photo")
}

// Photo returns the tag's photo and whose the tag is, or NotFound.
func (m *Module) Photo(ctx context.Context, scope postgres.Scope, id schema.TagID) ([]byte, schema.OrganisationID, error) {
	t, err := m.store.Tag(ctx, scope, id)
	if err != nil {
		return nil, t.Organisation, err
	}
	if t.Photo == "" {
		return nil, t.Organisation, schema.Errorf(schema.NotFound, "", "the tag has no photo")
	}
	content, err := m.host.Files.Get(ctx, t.Organisation, files.Digest(t.Photo))
	return content, t.Organisation, err
}

// RemovePhoto takes the tag's photo away.
func (m *Module) RemovePhoto(ctx context.Context, scope postgres.Scope, id schema.TagID) (TagView, error) {
	return m.changePhoto(ctx, scope, id, "")
}

func (m *Module) changePhoto(ctx context.Context, scope postgres.Scope, id schema.TagID, photo string) (TagView, error) {
	t, err := m.store.ChangeTag(ctx, scope, id, func(t *store.Tag) error {
		if t.BoundAt == nil && photo != "" {
			return unboundHasNoPhoto()
		}
		t.Photo = photo
		return nil
	})
	if err != nil {
		return TagView{}, err
	}
	return m.viewOf(ctx, scope, t), nil
}
