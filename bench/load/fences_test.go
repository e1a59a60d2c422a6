package load_test

import (
	"testing"

	"mybeacon/bench/load"
)

func TestFences(t *testing.T) {
	figures, err := load.Fences(t.Context(), load.FencesConfig{Zones: 20, Tags: 2000, Seconds: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := keys(t, figures, "updates_per_s", "events", "allocs_per_update")
	if *got["updates_per_s"] <= 0 || *got["events"] <= 0 {
		t.Errorf("nothing happened: %+v", figures)
	}
	if figures.Events > figures.Confirmed {
		t.Errorf("more was delivered than there was: %+v", figures)
	}
	if figures.AllocsPerUpdate > 1 {
		t.Errorf("%.2f allocations per update", figures.AllocsPerUpdate)
	}
}
