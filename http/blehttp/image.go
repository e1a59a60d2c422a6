package blehttp

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/images"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Image is the picture under a plan. It is turned around its lower left corner.
type Image struct {
	URL         string  `json:"url" doc:"Where its content is; changes with it"`
	WidthPx     int     `json:"width_px"`
	HeightPx    int     `json:"height_px"`
	MetresPerPx float64 `json:"metres_per_px"`
	X           float64 `json:"x" doc:"Of the lower left corner, metres"`
	Y           float64 `json:"y" doc:"Of the lower left corner, metres"`
	RotationDeg float64 `json:"rotation_deg" doc:"Counter-clockwise, around the lower left corner"`
	Opacity     float64 `json:"opacity" minimum:"0" maximum:"1"`
}

// imageOf returns nil where there is none. The time is zero for the plan as it is now.
func imageOf(p store.Plan, at time.Time) *Image {
	i := p.Image
	if i == nil {
		return nil
	}
	query := url.Values{"v": {i.File[:12]}}
	if !at.IsZero() {
		query.Set("at", at.UTC().Format(time.RFC3339Nano))
	}
	return &Image{
		URL: root + "/plans/" + p.ID.String() + "/image?" + query.Encode(), WidthPx: i.WidthPx, HeightPx: i.HeightPx,
		MetresPerPx: i.MetresPerPx, X: i.X, Y: i.Y, RotationDeg: i.RotationDeg, Opacity: i.Opacity,
	}
}

type newImage struct {
	PlanPath
	RawBody []byte `contentType:"image/png" required:"true"`
}

type imageInput struct {
	PlanPath
	At      time.Time `query:"at" doc:"The picture of the plan as it was then"`
	Content string    `query:"v" maxLength:"64" doc:"Taken and not looked at: another for each content, so that caches tell them apart"`
}

type imagePatch struct {
	PlanPath
	Body struct {
		MetresPerPx *float64 `json:"metres_per_px,omitempty"`
		X           *float64 `json:"x,omitempty" doc:"Of the lower left corner, metres"`
		Y           *float64 `json:"y,omitempty" doc:"Of the lower left corner, metres"`
		RotationDeg *float64 `json:"rotation_deg,omitempty" doc:"Counter-clockwise, around the lower left corner"`
		Opacity     *float64 `json:"opacity,omitempty" minimum:"0" maximum:"1"`
	}
}

// fileOutput is content that somebody uploaded or drew. What it is is said and not to
// be guessed, and whatever it is, it runs nothing.
type fileOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	Sniff       string `header:"X-Content-Type-Options"`
	Policy      string `header:"Content-Security-Policy"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

func (r *routes) images(s *shell.Server) {
	const path = root + "/plans/{id}/image"
	tags := []string{"ble plans"}
	put := changes(huma.Operation{
		OperationID: "set-ble-plan-image", Method: http.MethodPut, Path: path, Tags: tags, Summary: "Put a picture under the plan",
		Description:  "JPEG or PNG of at most 20 MiB and 50 megapixels. It is turned upright, made smaller than 6,000 pixels and kept without what a camera writes beside it. The first one fills the plan's width, a later one that of the one before.",
		MaxBodyBytes: int64(images.ForPlans().Bytes) + 1, BodyReadTimeout: uploadPatience,
	})
	pictures(&put)
	shell.Route(s, r.planner, put, r.setImage)
	get := huma.Operation{
		OperationID: "get-ble-plan-image", Method: http.MethodGet, Path: path, Tags: tags, Summary: "Read the picture under the plan",
		Responses: map[string]*huma.Response{"200": {Description: "The picture", Content: pictureTypes()}},
	}
	shell.Route(s, r.watcher, get, r.getImage)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "change-ble-plan-image", Method: http.MethodPatch, Path: path, Tags: tags, Summary: "Lay the plan's picture otherwise",
	}), r.changeImage)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "delete-ble-plan-image", Method: http.MethodDelete, Path: path, Tags: tags, Summary: "Take the picture from the plan; older versions keep it",
		DefaultStatus: http.StatusNoContent,
	}), r.removeImage)
}

// uploadPatience is for how long a picture may take to come, on a slow line.
const uploadPatience = 50 * time.Second

func pictureTypes() map[string]*huma.MediaType {
	content := func() *huma.MediaType {
		return &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return map[string]*huma.MediaType{images.JPEG: content(), images.PNG: content()}
}

// pictures says that the operation takes pictures.
func pictures(op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: pictureTypes()}
	op.SkipValidateBody = true
}

func (r *routes) setImage(ctx context.Context, in *newImage) (*planOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return planAnswer(r.module.SetImage(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id, in.RawBody))
}

func (r *routes) changeImage(ctx context.Context, in *imagePatch) (*planOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	patch := ble.ImagePatch{MetresPerPx: b.MetresPerPx, X: b.X, Y: b.Y, RotationDeg: b.RotationDeg, Opacity: b.Opacity}
	return planAnswer(r.module.ChangeImage(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id, patch))
}

func (r *routes) removeImage(ctx context.Context, in *PlanPath) (*struct{}, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	_, err = r.module.RemoveImage(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id)
	return nil, err
}

func (r *routes) getImage(ctx context.Context, in *imageInput) (*fileOutput, error) {
	d, err := r.drawn(ctx, in.ID, in.At)
	if err != nil {
		return nil, err
	}
	if i := d.Plan.Image; i != nil && shell.HasAlready(ctx, `"`+i.File+`"`) {
		return file(http.StatusNotModified, "", i.File, nil), nil
	}
	content, err := r.module.Picture(ctx, d)
	if err != nil {
		return nil, err
	}
	return file(http.StatusOK, d.Plan.Image.MediaType, d.Plan.Image.File, content), nil
}

// file makes the browser ask each time whether it may still show what it has.
func file(status int, mediaType, digest string, content []byte) *fileOutput {
	return &fileOutput{
		Status: status, ContentType: mediaType, ETag: `"` + digest + `"`, Sniff: "nosniff",
		Policy: "default-src 'none'; style-src 'unsafe-inline'; sandbox", Cache: "private, no-cache", Body: content,
	}
}

// drawn returns the plan as it was at the time, now where that is zero.
func (r *routes) drawn(ctx context.Context, plan string, at time.Time) (store.Drawing, error) {
	id, err := shell.ParseID[schema.PlanID](plan)
	if err != nil {
		return store.Drawing{}, err
	}
	if !at.IsZero() && !shell.PrincipalOf(ctx).Share.IsZero() {
		return store.Drawing{}, schema.Errorf(schema.Forbidden, "at", "must be left out: the link shows the plan as it is now")
	}
	var d store.Drawing
	if at.IsZero() {
		d, err = r.module.Drawing(ctx, shell.PrincipalOf(ctx).Scope(), id)
	} else {
		d, err = r.module.DrawingAt(ctx, shell.PrincipalOf(ctx).Scope(), id, at)
	}
	shell.Saw(ctx, d.Plan.Organisation)
	return d, err
}
