package provision

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"mybeacon/schema"
)

// Survey is a walk over the plan: what receivers heard at known places. A survey of
// that name that has fewer readings is taken for one whose sending was interrupted, and
// gets the rest.
type Survey struct {
	Name     string
	Readings []Reading
}

// Reading is how loudly a receiver heard a transmitter at a place.
type Reading struct {
	X, Y     float64 // metres
	Receiver int     // index in Site.Receivers
	RSSI     schema.CentiDBm
}

type surveyRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Readings int    `json:"readings"`
}

// surveyBatch is how many readings go in one request: some 200 KB.
const surveyBatch = 2000

// surveys makes the site's surveys. It needs the devices.
func (r *run) surveys(ctx context.Context) error {
	if len(r.site.Surveys) == 0 || r.out.Plan.IsZero() || len(r.out.Devices) < len(r.site.Receivers) {
		return nil
	}
	path := plansPath + "/" + r.out.Plan.String() + "/survey"
	there, err := every[surveyRow](ctx, r.client, path)
	if err != nil {
		return err
	}
	for _, survey := range r.site.Surveys {
		var have surveyRow
		i := slices.IndexFunc(there, func(row surveyRow) bool { return row.Name == survey.Name })
		if i >= 0 {
			have = there[i]
		} else if !r.absent("survey", survey.Name) {
			continue
		}
		if err := r.survey(ctx, path, survey, have); err != nil {
			return fmt.Errorf("survey %q: %w", survey.Name, err)
		}
	}
	return nil
}

// survey sends the readings that the server does not have.
func (r *run) survey(ctx context.Context, path string, survey Survey, have surveyRow) error {
	switch {
	case have.Readings > len(survey.Readings):
		return schema.Errorf(schema.Conflict, "survey", "the server has %d readings, there are %d; delete it there, or use another name", have.Readings, len(survey.Readings))
	case have.Readings < len(survey.Readings) && !r.create:
		r.missing = append(r.missing, fmt.Sprintf("%d readings of the survey %q", len(survey.Readings)-have.Readings, survey.Name))
		return nil
	}
	for rest := range slices.Chunk(survey.Readings[have.Readings:], surveyBatch) {
		body := map[string]any{"readings": r.readings(rest)}
		if have.ID == "" {
			body["name"] = survey.Name
			if err := r.client.call(ctx, http.MethodPost, path, nil, body, &have); err != nil {
				return err
			}
			continue
		}
		if err := r.client.call(ctx, http.MethodPost, path+"/"+have.ID, nil, body, nil); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) readings(list []Reading) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, reading := range list {
		out[i] = map[string]any{"x": reading.X, "y": reading.Y, "device_id": r.out.Devices[reading.Receiver].ID, "rssi_dbm": reading.RSSI.DBm()}
	}
	return out
}

// every returns all rows of a list.
func every[T any](ctx context.Context, c *Client, path string) (all []T, err error) {
	const most = 200
	for cursor := ""; ; {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		query := url.Values{"limit": {strconv.Itoa(most)}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := c.call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.Next == "" || page.Next == cursor {
			return all, nil
		}
		cursor = page.Next
	}
}
