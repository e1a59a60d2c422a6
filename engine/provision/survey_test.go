package provision_test

import (
	"strings"
	"testing"

	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// surveyed returns the kiosk with a survey of so many readings.
func surveyed(readings int) provision.Site {
	site := kiosk()
	s := provision.Survey{Name: "walk"}
	for i := range readings {
		s.Readings = append(s.Readings, provision.Reading{X: float64(i%6) + 0.5, Y: 1, Receiver: i % 2, RSSI: schema.CentiDBm(-6000 - i)})
	}
	site.Surveys = []provision.Survey{s}
	return site
}

// A survey goes in parts, in order, once; what was interrupted is carried on.
func TestEnsureSendsSurveys(t *testing.T) {
	s := newServer()
	c := login(t, s)
	for _, have := range []int{100, 100, 4500, 4500} {
		result, err := c.Ensure(t.Context(), surveyed(have))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.rows["surveys"]) != 1 {
			t.Fatalf("there are %d surveys", len(s.rows["surveys"]))
		}
		all := s.rows["surveys"][0]["all"].([]any)
		if len(all) != have {
			t.Fatalf("%d readings were stored, want %d", len(all), have)
		}
		for i, r := range all {
			got := r.(map[string]any)
			if want := schema.CentiDBm(-6000 - i).DBm(); got["rssi_dbm"] != want || got["device_id"] != result.Devices[i%2].ID.String() {
				t.Fatalf("reading %d is %v, want %v dBm of %v", i+1, got, want, result.Devices[i%2].ID)
			}
		}
	}
	if _, err := c.Find(t.Context(), surveyed(4500)); err != nil {
		t.Errorf("Find: %v", err)
	}
	if _, err := c.Find(t.Context(), surveyed(4600)); schema.KindOf(err) != schema.NotFound || !strings.Contains(err.Error(), "100 readings") {
		t.Errorf("Find of more: %v", err)
	}
	if _, err := c.Ensure(t.Context(), surveyed(50)); schema.KindOf(err) != schema.Conflict || !strings.Contains(err.Error(), "walk") {
		t.Errorf("fewer than there are: %v", err)
	}
}

func TestFindMissesTheSurvey(t *testing.T) {
	c := login(t, newServer())
	if _, err := c.Ensure(t.Context(), kiosk()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(t.Context(), surveyed(3)); schema.KindOf(err) != schema.NotFound || !strings.Contains(err.Error(), `survey "walk"`) {
		t.Errorf("got %v", err)
	}
}
