package results_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/bench/results"
	"mybeacon/schema"
)

// recordings makes folders in the form of the page's recordings out of the small one.
func recordings(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	for _, name := range []string{"flat", "library", "doors"} {
		dir := filepath.Join(data, name)
		if err := os.CopyFS(dir, os.DirFS("../recording/testdata/kiosk")); err != nil {
			t.Fatal(err)
		}
		if name != "doors" {
			continue
		}
		for _, file := range []string{"events.csv", "truth.csv", "zone_truth.csv"} {
			path := filepath.Join(dir, file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			renamed := strings.NewReplacer("anna,", "walk_sensor_1_measurement_1,", "trolley,", "car_sensor_1_measurement_2,").Replace(string(text))
			if err := os.WriteFile(path, []byte(renamed), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return data
}

func TestMake(t *testing.T) {
	out := t.TempDir()
	var steps []string
	cfg := results.Config{
		Data: recordings(t), Out: out, SimSeconds: 10,
		Now:  func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) },
		Step: func(what string) { steps = append(steps, what) },
	}
	names, err := results.Make(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "positioning.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, want := range []string{"Measured on 2026-03-04", "| **MyBeacon** |", "counter | door |", "| 0 |", "CC BY 4.0"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"{{", "<no value>", "NaN", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	var embedded []string
	for _, found := range regexp.MustCompile(`\]\(([a-z-]+\.svg)\)`).FindAllStringSubmatch(page, -1) {
		embedded = append(embedded, found[1])
	}
	slices.Sort(embedded)
	made := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "positioning.md" })
	if !slices.Equal(embedded, made) {
		t.Errorf("the page embeds %q, made were %q", embedded, made)
	}
	for _, name := range made {
		wellFormed(t, filepath.Join(out, name))
	}
	if len(steps) < 12 || !slices.Contains(steps, "flat without door") || !slices.Contains(steps, "the simulated site, seed 3") {
		t.Errorf("the steps were %q", steps)
	}
}

func wellFormed(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // it was only read
	for d := xml.NewDecoder(f); ; {
		switch _, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
	}
}

func TestMakeSaysWhatIsMissing(t *testing.T) {
	data := recordings(t)
	if err := os.RemoveAll(filepath.Join(data, "library")); err != nil {
		t.Fatal(err)
	}
	_, err := results.Make(t.Context(), results.Config{Data: data, Out: t.TempDir(), Now: time.Now})
	if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "library") {
		t.Errorf("got %v, want something invalid about library", err)
	}
	data = recordings(t)
	if err := os.Remove(filepath.Join(data, "flat", "survey.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Make(t.Context(), results.Config{Data: data, Out: t.TempDir(), Now: time.Now}); err == nil || !strings.Contains(err.Error(), "survey.csv") {
		t.Errorf("got %v, want something about survey.csv", err)
	}
	if _, err := results.Make(t.Context(), results.Config{Data: recordings(t), Out: filepath.Join(data, "nowhere"), SimSeconds: 5, Now: time.Now}); err == nil || !strings.Contains(err.Error(), "write") {
		t.Errorf("got %v, want something about writing", err)
	}
}
