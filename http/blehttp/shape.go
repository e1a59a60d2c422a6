package blehttp

import (
	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
)

// Corners is a row of points, each [x, y] in metres. It describes itself because
// huma takes every inner array for one that may be null.
type Corners []store.Corner

// Schema implements huma.SchemaProvider.
func (Corners) Schema(huma.Registry) *huma.Schema { return cornersSchema() }

// Polylines is several rows of points.
type Polylines [][]store.Corner

// Schema implements huma.SchemaProvider.
func (Polylines) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: cornersSchema()}
}

func cornersSchema() *huma.Schema {
	two := 2
	corner := &huma.Schema{
		Type: huma.TypeArray, MinItems: &two, MaxItems: &two,
		Items: &huma.Schema{Type: huma.TypeNumber, Format: "double"},
	}
	return &huma.Schema{Type: huma.TypeArray, Items: corner}
}
