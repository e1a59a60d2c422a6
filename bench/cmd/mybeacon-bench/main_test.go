package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const kiosk = "../../recording/testdata/kiosk"

// does runs the program and returns its exit code and outputs.
func does(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestLocate(t *testing.T) {
	code, out, errs := does(t, "locate", kiosk, "--track", "anna", "--without", "door", "--json")
	var f struct {
		Dataset, Mode  string
		Tracks, Epochs int
		MedianM        *float64 `json:"median_m"`
	}
	if err := json.Unmarshal([]byte(out), &f); code != 0 || err != nil || errs != "" {
		t.Fatalf("exit code %d, %v, %s%s", code, err, out, errs)
	}
	if f.Dataset != "kiosk" || f.Tracks != 1 || f.Epochs == 0 || f.MedianM == nil || strings.Count(out, "\n") != 1 {
		t.Errorf("got %s", out)
	}
}

func TestTheSurveyIsUsedWhenAsked(t *testing.T) {
	_, without, _ := does(t, "locate", kiosk, "--json")
	code, with, errs := does(t, "locate", kiosk, "--survey", "--json")
	if code != 0 || errs != "" || !strings.Contains(with, `"mode":"survey"`) || !strings.Contains(without, `"mode":"no-survey"`) {
		t.Fatalf("exit code %d: %s%s%s", code, with, without, errs)
	}
	of := func(line string) string { _, errors, _ := strings.Cut(line, "median_m"); return errors[:12] }
	if of(with) == of(without) {
		t.Errorf("the survey makes no difference: %s", with)
	}
	bare := t.TempDir()
	if err := os.CopyFS(bare, os.DirFS(kiosk)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(bare, "survey.csv")); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := does(t, "locate", bare, "--survey"); code != exitFailure || !strings.Contains(errs, "survey.csv") {
		t.Errorf("without a survey: exit code %d: %s", code, errs)
	}
}

func TestTextHasAFigurePerLine(t *testing.T) {
	code, out, _ := does(t, "locate", kiosk)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 17 || !strings.HasPrefix(lines[0], "dataset") || !strings.Contains(lines[0], "kiosk") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestSim(t *testing.T) {
	code, out, errs := does(t, "sim", "--seconds", "20", "--tags", "3", "--seed", "7", "--json")
	if code != 0 || !strings.Contains(out, `"dataset":"simulated site, seed 7"`) || !strings.Contains(out, `"tracks":3,`) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestExitCodes(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "meta.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		code int
		says string
		args []string
	}{
		{0, "Usage", []string{"--help"}},
		{2, "expected", nil},
		{2, "--zone-model", []string{"locate", kiosk, "--zone-model", "all"}},
		{2, "no such", []string{"locate", "testdata/nowhere"}},
		{2, "anna, trolley", []string{"locate", kiosk, "--track", "bob"}},
		{2, "counter, door, store", []string{"locate", kiosk, "--without", "roof"}},
		{2, "seconds", []string{"sim", "--seconds", "0"}},
		{2, "tags", []string{"sim", "--tags", "-4"}},
		{2, "seed", []string{"sim", "--seed", "x"}},
		{1, "meta.json", []string{"locate", broken}},
	}
	for _, test := range tests {
		code, out, errs := does(t, test.args...)
		if code != test.code || !strings.Contains(out+errs, test.says) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s%s", test.args, code, test.code, test.says, out, errs)
		}
		if code != 0 && strings.Contains(out, "{") {
			t.Errorf("%q: an error and a result: %s", test.args, out)
		}
	}
}

func TestASignalIsAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"locate", kiosk}, &out, &errs); code != exitFailure || out.Len() > 0 {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}

func TestResultsUsage(t *testing.T) {
	if code, _, errs := does(t, "results", "--data", t.TempDir(), "--out", t.TempDir()); code != exitUsage || !strings.Contains(errs, "flat") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
