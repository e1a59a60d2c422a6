package blehttp

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/images"
	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
)

// photoOf returns the address of the tag's photo. Its version makes a new photo a new
// address, so that nobody is shown the old one from memory.
func photoOf(t store.Tag) *string {
	if t.Photo == "" {
		return nil
	}
	return new(root + "/tags/" + t.ID.String() + "/photo?v=" + t.Photo[:12])
}

type newPhoto struct {
	TagPath
	RawBody []byte `contentType:"image/jpeg"`
}

type photoInput struct {
	TagPath
	Version string `query:"v" maxLength:"64" doc:"Which one, as photo names it; the answer is the present one"`
}

type photoOutput struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (r *routes) tagPhotos(s *shell.Server) {
	const path = root + "/tags/{id}/photo"
	tags := []string{"ble tags"}
	binary := &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	shell.Route(s, r.tagger, volatileOfTag(huma.Operation{
		OperationID: "set-ble-tag-photo", Method: http.MethodPut, Path: path, Tags: tags, Summary: "Give a tag a photo, JPEG or PNG",
		Description:  "The middle square of it is kept, of 512 pixels at most, and nothing of what the file says besides, such as where it was taken.",
		MaxBodyBytes: int64(images.ForPhotos().Bytes),
		RequestBody:  &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{images.JPEG: binary, images.PNG: binary}},
	}), r.setPhoto)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "get-ble-tag-photo", Method: http.MethodGet, Path: path, Tags: tags, Summary: "Read a tag's photo",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{images.JPEG: binary, images.PNG: binary}}},
	}, r.getPhoto)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "delete-ble-tag-photo", Method: http.MethodDelete, Path: path, Tags: tags, Summary: "Take a tag's photo away",
		DefaultStatus: http.StatusNoContent,
	}, r.removePhoto)
}

func (r *routes) setPhoto(ctx context.Context, in *newPhoto) (*tagOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return tagOutputOf(r.module.SetPhoto(ctx, shell.PrincipalOf(ctx).Scope(), id, in.RawBody))
}

func (r *routes) getPhoto(ctx context.Context, in *photoInput) (*photoOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	content, organisation, err := r.module.Photo(ctx, shell.PrincipalOf(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, organisation)
	kind := images.JPEG
	if http.DetectContentType(content) == images.PNG {
		kind = images.PNG
	}
	return &photoOutput{ContentType: kind, Policy: "default-src 'none'; sandbox", Body: content}, nil
}

func (r *routes) removePhoto(ctx context.Context, in *TagPath) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	_, err = r.module.RemovePhoto(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return nil, err
}
