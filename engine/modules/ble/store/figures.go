package store

// Figures are what is drawn on a plan besides walls and no-go areas, for people
// only.
type Figures struct {
	Rooms  []Room     `json:"rooms"`
	Doors  [][]Corner `json:"doors"` // lines of two points
	Labels []Label    `json:"labels"`
}

// Room is a coloured polygon.
type Room struct {
	Polygon []Corner `json:"polygon"`
	Color   string   `json:"color"` // "#rrggbb"
	Label   string   `json:"label"`
}

// Label is a text with its middle at a point.
type Label struct {
	X     float64 `json:"x"` // metres
	Y     float64 `json:"y"`
	Text  string  `json:"text"`
	SizeM float64 `json:"size_m"` // height of the letters
}

// Image is the picture under a plan.
type Image struct {
	File        string  `json:"file"` // digest of its content
	MediaType   string  `json:"media_type"`
	WidthPx     int     `json:"width_px"`
	HeightPx    int     `json:"height_px"`
	MetresPerPx float64 `json:"metres_per_px"`
	X           float64 `json:"x"` // of its lower left corner, around which it is turned; metres
	Y           float64 `json:"y"`
	RotationDeg float64 `json:"rotation_deg"` // counter-clockwise
	Opacity     float64 `json:"opacity"`      // 0 to 1
}
