package ble

import (
	"context"

	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// SetImage puts the picture under the plan. Where there was one the new one takes
// its place, of the same width in metres; the first fills the plan's width. Opacity
// and rotation stay.
func (m *Module) SetImage(ctx context.Context, scope postgres.Scope, id schema.PlanID, content []byte) (store.Plan, error) {
	// Nobody's picture is read for a plan that he may not change.
	owner, err := m.store.MayDraw(ctx, scope, id)
	if err != nil {
		return store.Plan{}, err
	}
	picture, err := m.host.Images.Fit(ctx, content, images.ForPlans())
	if err != nil {
		return store.Plan{}, err
	}
	digest, err := m.host.Files.Put(ctx, owner, picture.Content)
	if err != nil {
		return store.Plan{}, err
	}
	p, err := m.store.ChangePlan(ctx, scope, id, changedImage, func(p *store.Plan) error {
		p.Image = placed(*p, picture, digest)
		return checkPlan(*p)
	})
	return p, m.after(ctx, err)
}

func placed(p store.Plan, picture images.Picture, digest files.Digest) *store.Image {
	at := store.Image{
		X: p.Bounds.Min.X, Y: p.Bounds.Min.Y, Opacity: 1,
		MetresPerPx: (p.Bounds.Max.X - p.Bounds.Min.X) / float64(picture.Width),
	}
	if p.Image != nil {
		at = *p.Image
		at.MetresPerPx *= float64(at.WidthPx) / float64(picture.Width)
	}
	at.File, at.MediaType, at.WidthPx, at.HeightPx = string(digest), picture.MediaType, picture.Width, picture.Height
	return &at
}

// ImagePatch is how the picture lies on the plan; nil fields stay.
type ImagePatch struct {
	MetresPerPx *float64
	X, Y        *float64
	RotationDeg *float64
	Opacity     *float64
}

// ChangeImage lays the plan's picture otherwise.
func (m *Module) ChangeImage(ctx context.Context, scope postgres.Scope, id schema.PlanID, patch ImagePatch) (store.Plan, error) {
	p, err := m.store.ChangePlan(ctx, scope, id, changedImage, func(p *store.Plan) error {
		if p.Image == nil {
			return noImage()
		}
		now := *p.Image
		set(&now.MetresPerPx, patch.MetresPerPx)
		set(&now.X, patch.X)
		set(&now.Y, patch.Y)
		set(&now.RotationDeg, patch.RotationDeg)
		set(&now.Opacity, patch.Opacity)
		p.Image = &now
		return checkPlan(*p)
	})
	return p, m.after(ctx, err)
}

func noImage() error { return schema.Errorf(schema.NotFound, "", "the plan has no picture") }

// RemoveImage takes the picture from the plan. Older versions keep it.
func (m *Module) RemoveImage(ctx context.Context, scope postgres.Scope, id schema.PlanID) (store.Plan, error) {
	p, err := m.store.ChangePlan(ctx, scope, id, changedImage, func(p *store.Plan) error {
		if p.Image == nil {
			return noImage()
		}
		p.Image = nil
		return nil
	})
	return p, m.after(ctx, err)
}

// Picture returns the content of the picture that the drawing shows.
func (m *Module) Picture(ctx context.Context, d store.Drawing) ([]byte, error) {
	if d.Plan.Image == nil {
		return nil, noImage()
	}
	return m.host.Files.Get(ctx, d.Plan.Organisation, files.Digest(d.Plan.Image.File))
}

func checkImage(i *store.Image) error {
	if i == nil {
		return nil
	}
	if err := checkCoordinate("x", i.X); err != nil {
		return err
	}
	if err := checkCoordinate("y", i.Y); err != nil {
		return err
	}
	if w, h := float64(i.WidthPx)*i.MetresPerPx, float64(i.HeightPx)*i.MetresPerPx; !within(w, minSizeM, maxSizeM) || !within(h, minSizeM/100, maxSizeM) {
		return schema.Errorf(schema.Invalid, "metres_per_px", "%g makes the picture %g x %g m; its width may be %g to %d m", i.MetresPerPx, w, h, minSizeM, maxSizeM)
	}
	if !within(i.RotationDeg, -360, 360) {
		return schema.Errorf(schema.Invalid, "rotation_deg", "%g is not between -360 and 360 degrees", i.RotationDeg)
	}
	if !within(i.Opacity, 0, 1) {
		return schema.Errorf(schema.Invalid, "opacity", "%g is not between 0 and 1", i.Opacity)
	}
	return nil
}
