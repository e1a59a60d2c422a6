package fence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
)

// walk feeds one fix a second, written as a word each: a zone's number, "-" for
// outside, "." for no fix. It returns the transitions as "+3@4 -3@9".
func walk(cfg fence.Config, s *fence.State, fixes string) string {
	var out []string
	for i, word := range strings.Fields(fixes) {
		zone := fence.Outside
		switch word {
		case ".":
			continue
		case "-":
		default:
			if _, err := fmt.Sscan(word, &zone); err != nil {
				panic(err)
			}
		}
		out = append(out, spell(s.Observe(cfg, time.Duration(i)*time.Second, zone))...)
	}
	return strings.Join(out, " ")
}

func spell(transitions []fence.Transition) []string {
	var out []string
	for _, tr := range transitions {
		sign := "-"
		if tr.Enter {
			sign = "+"
		}
		out = append(out, fmt.Sprintf("%s%d@%g", sign, tr.Zone, tr.At.Seconds()))
	}
	return out
}

// delays: 2 s to enter, 3 s to leave, silence of 60 s.
func TestObserve(t *testing.T) {
	f := func(fixes, want string) {
		t.Helper()
		var s fence.State
		if got := walk(fence.DefaultConfig(), &s, fixes); got != want {
			t.Errorf("%s: got %q, want %q", fixes, got, want)
		}
	}
	f("3 3", "")
	f("3 3 3", "+3@0") // confirmed at 2 s, begun at 0 s
	f("- 3 3 3 3 3", "+3@1")
	f("3 . . 3", "+3@0")               // a missing fix does not break the row
	f("3 3 - 3 3 -", "")               // never in a row for 2 s
	f("3 3 3 - - - 3 3 3", "+3@0")     // away for 2 s: a flicker
	f("3 3 3 - - - -", "+3@0 -3@3")    // away for 3 s
	f("3 3 3 4 4 4", "+3@0 -3@3 +4@3") // entering the next is leaving this
	f("3 3 3 4 3 4 4 4", "+3@0 -3@5 +4@5")
	f("3 3 3 - 4 4 4", "+3@0 -3@3 +4@4")       // left before the next was entered
	f("3 3 3 4 5 4 5 4 4 4", "+3@0 -3@3 +4@7") // away, though in no other zone for long
	f("1 1 1 2 3 2 2 2", "+1@0 -1@3 +2@5")     // the example of the docstring
	f("3 3 3 - - - - 3 3 3", "+3@0 -3@3 +3@7")
	f("0 0 0 - - - -", "+0@0 -0@3") // zone 0 is a zone like others
}

func TestObserveWithoutDelay(t *testing.T) {
	var s fence.State
	got := walk(fence.Config{Timeout: time.Minute}, &s, "3 4 - - 3")
	if want := "+3@0 -3@1 +4@1 -4@2 +3@4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPendingChangeDoesNotSurviveSilence(t *testing.T) {
	cfg := fence.DefaultConfig()
	var s fence.State
	s.Observe(cfg, 0, 3)
	if got := s.Observe(cfg, time.Hour, 3); got != nil {
		t.Errorf("two fixes an hour apart gave %v", got)
	}
	if got := spell(s.Observe(cfg, time.Hour+2*time.Second, 3)); len(got) != 1 || got[0] != "+3@3600" {
		t.Errorf("got %v, want an entry at 3600 s", got)
	}
}

func TestLateFixCountsAsSimultaneous(t *testing.T) {
	cfg := fence.DefaultConfig()
	var s fence.State
	s.Observe(cfg, 10*time.Second, 3)
	s.Observe(cfg, 4*time.Second, fence.Outside)
	s.Observe(cfg, 10*time.Second, 3)
	if got := spell(s.Observe(cfg, 12*time.Second, 3)); len(got) != 1 || got[0] != "+3@10" {
		t.Errorf("got %v, want an entry at 10 s", got)
	}
}

func TestLeave(t *testing.T) {
	f := func(fixes string, at float64, want ...string) {
		t.Helper()
		var s fence.State
		walk(fence.DefaultConfig(), &s, fixes)
		got := spell(s.Leave(time.Duration(at * float64(time.Second))))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, silent from %g s (-want +got):\n%s", fixes, at, diff)
		}
		if s.Zone() != fence.Outside {
			t.Errorf("%s: in zone %d after leaving", fixes, s.Zone())
		}
		if again := s.Leave(time.Hour); again != nil {
			t.Errorf("%s: left twice: %v", fixes, again)
		}
	}
	f("- - -", 60)
	f("3 3", 60) // an entry that was not confirmed
	f("3 3 3", 60, "-3@60")
	f("3 3 3 - -", 60, "-3@3") // was seen leaving
	f("3 3 3 3 3", 1, "-3@4")  // never before its own last fix
}

func TestWithin(t *testing.T) {
	cfg := fence.DefaultConfig()
	s := fence.Within(3)
	if s.Zone() != 3 {
		t.Fatalf("restored into zone %d", s.Zone())
	}
	if got := walk(cfg, &s, "3 3 3 - - - -"); got != "-3@3" {
		t.Errorf("got %q, want no second entry and one exit", got)
	}
	if s := fence.Within(fence.Outside); s != (fence.State{}) {
		t.Errorf("restored outside is %+v, not the zero value", s)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := fence.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, cfg := range []fence.Config{
		{},
		{EnterDelay: -1, Timeout: time.Minute},
		{ExitDelay: -1, Timeout: time.Minute},
		{EnterDelay: time.Minute, Timeout: time.Minute},
		{ExitDelay: 2 * time.Minute, Timeout: time.Minute},
	} {
		if cfg.Validate() == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// Whatever the fixes: entries and exits alternate, exits name the zone entered,
// times never decrease or lie in the future, and a tag that has stayed put for
// longer than both delays is confirmed there.
func TestStateInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := fence.Config{
			EnterDelay: time.Duration(rapid.IntRange(0, 5).Draw(t, "enter")) * time.Second,
			ExitDelay:  time.Duration(rapid.IntRange(0, 5).Draw(t, "exit")) * time.Second,
			Timeout:    10 * time.Second,
		}
		var s fence.State
		var at, before, stayed time.Duration
		in, previous := fence.Outside, fence.Outside
		for range rapid.IntRange(1, 60).Draw(t, "fixes") {
			step := time.Duration(rapid.IntRange(0, 3).Draw(t, "step")) * time.Second
			zone := rapid.IntRange(-1, 2).Draw(t, "zone")
			at += step
			if stayed += step; zone != previous {
				stayed = 0
			}
			previous = zone
			for _, tr := range s.Observe(cfg, at, zone) {
				if tr.Enter == (in != fence.Outside) || (!tr.Enter && tr.Zone != in) {
					t.Fatalf("at %s, being in %d: %+v", at, in, tr)
				}
				if tr.At < before || tr.At > at {
					t.Fatalf("at %s, after %s: %+v", at, before, tr)
				}
				before = tr.At
				if in = fence.Outside; tr.Enter {
					in = tr.Zone
				}
			}
			if in != s.Zone() {
				t.Fatalf("transitions lead to zone %d, the state says %d", in, s.Zone())
			}
			if stayed >= max(cfg.EnterDelay, cfg.ExitDelay) && in != zone {
				t.Fatalf("in %d for %s and still confirmed in %d", zone, stayed, in)
			}
		}
	})
}
