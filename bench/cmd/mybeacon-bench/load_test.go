package main

import (
	"os"
	"strings"
	"testing"
)

func TestIngestDecode(t *testing.T) {
	code, out, errs := does(t, "ingest", "--stage", "decode", "--tags", "50", "--receivers", "3", "--seconds", "1", "--json")
	if code != 0 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, `{"observations_per_s":`) || !strings.Contains(out, `"live_p99_ms":null`) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestFences(t *testing.T) {
	code, out, errs := does(t, "fences", "--zones", "4", "--tags", "100", "--seconds", "1", "--json")
	if code != 0 || !strings.HasPrefix(out, `{"updates_per_s":`) || !strings.Contains(out, `"events":`) || !strings.Contains(out, `"allocs_per_update":`) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if code, out, _ := does(t, "fences", "--seconds", "1", "--tags", "100"); code != 0 || strings.Count(out, "\n") != 4 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestLoadUsage(t *testing.T) {
	tests := []struct {
		says string
		args []string
	}{
		{"tags", []string{"ingest", "--tags", "0"}},
		{"stage", []string{"ingest", "--stage", "third"}},
		{"zones", []string{"fences", "--zones", "0"}},
		{"server", []string{"crash", "--server", "testdata/nowhere"}},
		{"minutes", []string{"soak", "--minutes", "0", "--server", os.Args[0]}},
		{"server", []string{"soak", "--server", "testdata/nowhere"}},
		{"sockets", []string{"sockets", "--sockets", "0", "--server", os.Args[0]}},
		{"kills", []string{"crash", "--kills", "-1", "--server", os.Args[0]}},
	}
	for _, test := range tests {
		code, out, errs := does(t, test.args...)
		if code != exitUsage || !strings.Contains(errs, test.says) || strings.Contains(out, "{\"") {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s%s", test.args, code, exitUsage, test.says, out, errs)
		}
	}
}
