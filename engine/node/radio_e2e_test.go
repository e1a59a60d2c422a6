package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"mybeacon/schema"
)

// act lets the super-admin change what is inside the organisation.
func (s *server) act(t *testing.T, c *http.Client, o schema.OrganisationID) {
	t.Helper()
	s.send(t, c, 200, "PUT", "/auth/acting", map[string]any{"organisation_id": o, "reason": "a test"}, nil)
}

// send sends a request as a person and decodes the answer, which has the status.
func (s *server) send(t *testing.T, c *http.Client, want int, method, path string, body, out any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer := readAll(t, resp.Body)
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
	}
}

// What people say of a plan's radio reaches the engine, and what the engine
// stored is what they can say it with: a tag stays out of where nobody can be,
// and a zone is learned from what was heard.
func TestRadioOfAPlan(t *testing.T) {
	s := start(t, testConfig(t))
	made := provisioned(t, s)
	c := browser(t, s)
	s.act(t, c, made.Organisation)
	plan := "/client/ble/plans/" + made.Plan.String()
	middle := [][2]float64{{3.5, 3.5}, {6.5, 3.5}, {6.5, 6.5}, {3.5, 6.5}}
	s.send(t, c, 200, "PATCH", plan, map[string]any{"no_go": []any{middle}}, nil)
	reading := map[string]any{"x": 1, "y": 1, "device_id": made.Devices[0].ID, "rssi_dbm": -50}
	s.send(t, c, 201, "POST", plan+"/survey", map[string]any{"name": "walk", "readings": []any{reading}}, nil)

	conn := watch(t, s, made.Location)
	begin := time.Now().Add(-20 * time.Second).Truncate(time.Second)
	for second := range 12 {
		at := begin.Add(time.Duration(second)*time.Second + 300*time.Millisecond)
		var all sync.WaitGroup
		for _, dev := range made.Devices {
			all.Go(func() {
				if status, text := post(t, s, dev.Token, frame(second+1, at, -61.5)); status != http.StatusOK {
					t.Errorf("second %d: %d %s", second, status, text)
				}
			})
		}
		all.Wait()
	}
	tag := awaitTag(t, conn)
	if tag.X > 3.5 && tag.X < 6.5 && tag.Y > 3.5 && tag.Y < 6.5 {
		t.Errorf("the tag is at (%.1f, %.1f) m, where nobody can be", tag.X, tag.Y)
	}

	var drawing struct {
		Zones []struct{ ID string }
	}
	s.send(t, c, 200, "GET", plan, nil, &drawing)
	example := map[string]any{"tag_id": tag.ID, "zone_id": drawing.Zones[0].ID, "from": begin, "to": begin.Add(12 * time.Second)}
	var stored struct{ Seconds int }
	s.send(t, c, 201, "POST", plan+"/zone-examples", example, &stored)
	if stored.Seconds != 12 {
		t.Errorf("%d seconds were heard, want 12", stored.Seconds)
	}
	var patched struct {
		ZonesBy string `json:"zones_by"`
	}
	s.send(t, c, 200, "PATCH", plan, map[string]any{"zones_by": "examples"}, &patched)
	place := map[string]any{"plan_id": made.Plan, "x": 1, "y": 1}
	s.send(t, c, 200, "PUT", fmt.Sprintf("/client/ble/tags/%s/reference", tag.ID), place, nil)
	s.send(t, c, 204, "DELETE", fmt.Sprintf("/client/ble/tags/%s/reference", tag.ID), nil, nil)
	if patched.ZonesBy != "examples" {
		t.Errorf("zones are told by %q", patched.ZonesBy)
	}
}
