package blehttp

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/geometry/locate"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Coverage foretells how tags would be heard over a plan.
type Coverage struct {
	MinX      float64   `json:"min_x" doc:"Of the lower left cell's lower left corner, metres"`
	MinY      float64   `json:"min_y"`
	CellM     float64   `json:"cell_m"`
	Columns   int       `json:"columns"`
	Rows      int       `json:"rows"`
	Heard     []int     `json:"heard" nullable:"false" doc:"Row by row from below: how many receivers would hear a tag there"`
	AccuracyM []float64 `json:"accuracy_m" nullable:"false" doc:"The same way: the radius that would hold 68 % of the positions of a tag there"`
}

type coverageInput struct {
	PlanPath
	CellM float64 `query:"cell_m" minimum:"0" maximum:"100" doc:"0: as fine as is useful; cells grow where there would be more than 20,000"`
}

type coverageOutput struct{ Body Coverage }

// Calibration is what was learned of a plan's radio and what that is worth.
type Calibration struct {
	OrganisationID schema.OrganisationID  `json:"organisation_id" format:"uuid"`
	Receivers      []CalibratedReceiver   `json:"receivers" nullable:"false" doc:"By number"`
	Survey         SurveyCount            `json:"survey"`
	References     []CalibrationReference `json:"references" nullable:"false" doc:"By name"`
	Before         *LocateErrors          `json:"before" doc:"Known points located without what was learned; null: there are none"`
	After          *LocateErrors          `json:"after" doc:"Known points located with what was learned of all but themselves; null: there are none"`
}

// CalibratedReceiver is what was learned of one receiver.
type CalibratedReceiver struct {
	ID       schema.ReceiverID `json:"id" format:"uuid"`
	Number   int64             `json:"number"`
	OffsetDB float64           `json:"offset_db" doc:"By how much it hears louder than its siblings, beyond its gain, as was learned from traffic"`
	GainDB   float64           `json:"gain_db" doc:"As was entered"`
	Since    *time.Time        `json:"since" doc:"From when on the offset is in force; null: nothing was learned, or that is not known"`
}

// SurveyCount says how much there is of surveys.
type SurveyCount struct {
	Walks    int `json:"walks"`
	Readings int `json:"readings"`
}

// CalibrationReference is a tag at a known point.
type CalibrationReference struct {
	TagID schema.TagID `json:"tag_id" format:"uuid"`
	Name  string       `json:"name"`
	X     float64      `json:"x_m"`
	Y     float64      `json:"y_m"`
}

// LocateErrors is how far positions were from the truth.
type LocateErrors struct {
	Points  int     `json:"points" doc:"That were located"`
	MedianM float64 `json:"median_m"`
	MeanM   float64 `json:"mean_m"`
	P90M    float64 `json:"p90_m"`
}

type calibrationOutput struct{ Body Calibration }

type newTap struct {
	PlanPath
	Body struct {
		Survey  string       `json:"survey" doc:"The walk's name; the first tap begins it"`
		TagID   schema.TagID `json:"tag_id" format:"uuid" doc:"Which is carried"`
		X       float64      `json:"x_m"`
		Y       float64      `json:"y_m"`
		At      time.Time    `json:"at,omitempty" doc:"Now if left out; at most an hour ago"`
		Seconds int          `json:"seconds,omitempty" minimum:"1" maximum:"300" doc:"For how long the tag was there until then; 10 if left out"`
	}
}

// Tapped is what became of a tap.
type Tapped struct {
	SurveyID store.SurveyID `json:"survey_id" format:"uuid"`
	Survey   string         `json:"survey"`
	Total    int            `json:"total" doc:"Readings of the survey by now"`
	Readings []TapReading   `json:"readings" nullable:"false" doc:"Those that were added, one of each receiver that heard the tag"`
}

// TapReading is how loudly a receiver heard the tag on average.
type TapReading struct {
	ReceiverID   schema.ReceiverID `json:"receiver_id" format:"uuid"`
	RSSI         float64           `json:"rssi_dbm"`
	Observations uint64            `json:"observations"`
}

type tapOutput struct{ Body Tapped }

func (r *routes) radio(s *shell.Server) {
	const path = root + "/plans/{id}"
	tags := []string{"ble survey"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "get-ble-coverage", Method: http.MethodGet, Path: path + "/coverage", Tags: tags,
		Summary: "Foretell where how many receivers would hear a tag, and how well it would be located",
	}, r.getCoverage)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "get-ble-calibration", Method: http.MethodGet, Path: path + "/calibration", Tags: tags,
		Summary: "Read what was learned of the plan's radio, and what that is worth in metres",
	}, r.getCalibration)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-survey-tap", Method: http.MethodPost, Path: path + "/survey/taps", Tags: tags,
		Summary: "Say \"I am here\" while a tag is carried: what was heard of it becomes readings of a survey", DefaultStatus: http.StatusCreated,
	}, r.addTap)
}

func (r *routes) getCoverage(ctx context.Context, in *coverageInput) (*coverageOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	c, plan, err := r.module.Coverage(ctx, shell.PrincipalOf(ctx).Scope(), id, in.CellM)
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, plan.Organisation)
	out := Coverage{MinX: c.Min.X, MinY: c.Min.Y, CellM: c.CellM, Columns: c.Columns, Rows: c.Rows, Heard: c.Heard, AccuracyM: c.AccuracyM}
	for i, m := range out.AccuracyM {
		out.AccuracyM[i] = centimetres(m)
	}
	return &coverageOutput{out}, nil
}

// centimetres rounds metres: nobody foretells more.
func centimetres(m float64) float64 { return math.Round(100*m) / 100 }

func (r *routes) getCalibration(ctx context.Context, in *PlanPath) (*calibrationOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	c, err := r.module.Calibration(ctx, shell.PrincipalOf(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	return &calibrationOutput{calibrationOf(c)}, nil
}

func calibrationOf(c ble.Calibration) Calibration {
	out := Calibration{
		OrganisationID: c.Plan.Organisation, Survey: SurveyCount{Walks: c.Walks, Readings: c.Readings},
		Receivers: make([]CalibratedReceiver, len(c.Receivers)), References: make([]CalibrationReference, len(c.References)),
		Before: errorsOf(c.Before), After: errorsOf(c.After),
	}
	for i, r := range c.Receivers {
		out.Receivers[i] = CalibratedReceiver{ID: r.ID, Number: r.Number, OffsetDB: r.OffsetDB, GainDB: r.GainDB}
		if !r.Since.IsZero() {
			out.Receivers[i].Since = &r.Since
		}
	}
	for i, f := range c.References {
		out.References[i] = CalibrationReference{TagID: f.Tag, Name: f.Name, X: f.X, Y: f.Y}
	}
	return out
}

func errorsOf(e locate.Errors) *LocateErrors {
	if e.Points == 0 {
		return nil
	}
	return &LocateErrors{Points: e.Points, MedianM: centimetres(e.MedianM), MeanM: centimetres(e.MeanM), P90M: centimetres(e.P90M)}
}

func (r *routes) addTap(ctx context.Context, in *newTap) (*tapOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	tap := ble.Tap{Survey: b.Survey, Tag: b.TagID, X: b.X, Y: b.Y, At: b.At, Seconds: b.Seconds}
	t, err := r.module.AddTap(ctx, shell.PrincipalOf(ctx).Scope(), id, tap)
	if err != nil {
		return nil, err
	}
	out := Tapped{SurveyID: t.Survey.ID, Survey: t.Survey.Name, Total: t.Survey.Readings, Readings: make([]TapReading, len(t.Readings))}
	for i, h := range t.Readings {
		out.Readings[i] = TapReading{ReceiverID: h.Receiver, RSSI: h.RSSI.DBm(), Observations: h.Observations}
	}
	return &tapOutput{out}, nil
}
