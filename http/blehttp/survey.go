package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Survey is one walk over a plan with a transmitter.
type Survey struct {
	OrganisationID schema.OrganisationID `json:"-"` // for the log of who looks
	ID             store.SurveyID        `json:"id" format:"uuid"`
	Name           string                `json:"name"`
	Readings       int                   `json:"readings" doc:"How many there are"`
	CreatedAt      time.Time             `json:"created_at"`
}

func surveyOf(v store.Survey) Survey {
	return Survey{OrganisationID: v.Organisation, ID: v.ID, Name: v.Name, Readings: v.Readings, CreatedAt: v.CreatedAt.UTC()}
}

// Reading is how loudly a receiver heard a transmitter at a known place.
type Reading struct {
	OrganisationID schema.OrganisationID `json:"-"` // for the log of who looks
	Number         int                   `json:"number" doc:"Within the survey, from 1"`
	ReceiverID     schema.ReceiverID     `json:"receiver_id" format:"uuid"`
	DeviceID       schema.DeviceID       `json:"device_id" format:"uuid" doc:"What hangs there now"`
	X              float64               `json:"x" doc:"Metres"`
	Y              float64               `json:"y" doc:"Metres"`
	RSSI           float64               `json:"rssi_dbm"`
	Source         int                   `json:"source"`
}

func readingOf(r store.Reading) Reading {
	return Reading{OrganisationID: r.Organisation, Number: r.Number, ReceiverID: r.Receiver, DeviceID: r.Device, X: r.X, Y: r.Y, RSSI: r.RSSI.DBm(), Source: r.Source}
}

type newReading struct {
	X          float64           `json:"x" doc:"Metres, within the plan's bounds"`
	Y          float64           `json:"y" doc:"Metres, within the plan's bounds"`
	ReceiverID schema.ReceiverID `json:"receiver_id,omitempty" format:"uuid" doc:"Either this or device_id"`
	DeviceID   schema.DeviceID   `json:"device_id,omitempty" format:"uuid" doc:"What hangs at the receiver's place"`
	RSSI       float64           `json:"rssi_dbm" minimum:"-127" maximum:"20"`
	Source     int               `json:"source,omitempty" minimum:"0" maximum:"1000" doc:"Which transmitter was carried, by any number: those of one number are equally loud"`
}

func readingsOf(in []newReading) []store.Reading {
	out := make([]store.Reading, len(in))
	for i, r := range in {
		out[i] = store.Reading{Receiver: r.ReceiverID, Device: r.DeviceID, X: r.X, Y: r.Y, RSSI: schema.CentiDBmOf(r.RSSI), Source: r.Source}
	}
	return out
}

type newSurvey struct {
	PlanPath
	Body struct {
		Name     string       `json:"name"`
		Readings []newReading `json:"readings" nullable:"false" minItems:"1" maxItems:"10000" doc:"The first of them; further ones are added to the survey"`
	}
}

// SurveyPath names a survey of a plan. It is exported because huma reads embedded inputs only then.
type SurveyPath struct {
	PlanPath
	Survey string `path:"sid" format:"uuid" doc:"The survey"`
}

type moreReadings struct {
	SurveyPath
	Body struct {
		Readings []newReading `json:"readings" nullable:"false" minItems:"1" maxItems:"10000"`
	}
}

type surveyList struct {
	PlanPath
	shell.PageInput
}

type readingList struct {
	SurveyPath
	shell.PageInput
}

type surveyOutput struct{ Body Survey }

func (r *routes) surveys(s *shell.Server) {
	const path = root + "/plans/{id}/survey"
	tags := []string{"ble survey"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-surveys", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List the plan's surveys by name",
	}, r.listSurveys)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-survey", Method: http.MethodPost, Path: path, Tags: tags,
		Summary: "Store what receivers heard at places that somebody walked to", DefaultStatus: http.StatusCreated,
	}, r.addSurvey)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "delete-ble-surveys", Method: http.MethodDelete, Path: path, Tags: tags, Summary: "Delete all surveys of the plan",
		DefaultStatus: http.StatusNoContent,
	}, r.removeSurveys)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-survey-readings", Method: http.MethodGet, Path: path + "/{sid}", Tags: tags,
		Summary: "List a survey's readings as they were entered",
	}, r.listReadings)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "extend-ble-survey", Method: http.MethodPost, Path: path + "/{sid}", Tags: tags, Summary: "Add readings to a survey",
	}, r.extendSurvey)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "delete-ble-survey", Method: http.MethodDelete, Path: path + "/{sid}", Tags: tags, Summary: "Delete one survey",
		DefaultStatus: http.StatusNoContent,
	}, r.removeSurvey)
}

func (p SurveyPath) parse() (schema.PlanID, store.SurveyID, error) {
	plan, err := shell.ParseID[schema.PlanID](p.ID)
	if err != nil {
		return plan, store.SurveyID{}, err
	}
	survey, err := shell.ParseID[store.SurveyID](p.Survey)
	return plan, survey, err
}

func (r *routes) listSurveys(ctx context.Context, in *surveyList) (*shell.ListOutput[Survey], error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Surveys(ctx, shell.PrincipalOf(ctx).Scope(), plan, page)
	return shell.Paged(&in.PageInput, found, next, surveyOf), err
}

func (r *routes) listReadings(ctx context.Context, in *readingList) (*shell.ListOutput[Reading], error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Readings(ctx, shell.PrincipalOf(ctx).Scope(), plan, id, page)
	return shell.Paged(&in.PageInput, found, next, readingOf), err
}

func (r *routes) addSurvey(ctx context.Context, in *newSurvey) (*surveyOutput, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	v, err := r.module.AddSurvey(ctx, shell.PrincipalOf(ctx).Scope(), plan, in.Body.Name, readingsOf(in.Body.Readings))
	return &surveyOutput{surveyOf(v)}, err
}

func (r *routes) extendSurvey(ctx context.Context, in *moreReadings) (*surveyOutput, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	v, err := r.module.ExtendSurvey(ctx, shell.PrincipalOf(ctx).Scope(), plan, id, readingsOf(in.Body.Readings))
	return &surveyOutput{surveyOf(v)}, err
}

func (r *routes) removeSurvey(ctx context.Context, in *SurveyPath) (*struct{}, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveSurvey(ctx, shell.PrincipalOf(ctx).Scope(), plan, id)
}

func (r *routes) removeSurveys(ctx context.Context, in *PlanPath) (*struct{}, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveSurveys(ctx, shell.PrincipalOf(ctx).Scope(), plan)
}
