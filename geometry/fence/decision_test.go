package fence_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
)

// shares gives zones 0, 1, 2 … their probabilities; what lacks to one is outside.
func shares(p ...float64) []fence.Share {
	var out []fence.Share
	rest := 1.0
	for i, v := range p {
		out = append(out, fence.Share{Zone: i, P: v})
		rest -= v
	}
	return append(out, fence.Share{Zone: fence.Outside, P: rest})
}

func TestDecide(t *testing.T) {
	cfg := fence.DecisionConfig{SwitchP: 0.6, LeastP: 0.2}
	f := func(name string, want int, fixes ...[]fence.Share) {
		t.Helper()
		var d fence.Decision
		got := fence.Outside
		for _, s := range fixes {
			got = d.Decide(cfg, s)
		}
		if got != want || d.Zone() != want {
			t.Errorf("%s: decided %d (Zone says %d), want %d", name, got, d.Zone(), want)
		}
	}
	f("nothing known", fence.Outside, nil)
	f("the first fix takes the likeliest", 1, shares(0.3, 0.4, 0.2))
	f("of which outside is one", fence.Outside, shares(0.3, 0.2))
	f("a flicker at the border does not switch", 0, shares(0.6, 0.4), shares(0.45, 0.55))
	f("but a clear lead does", 1, shares(0.6, 0.4), shares(0.3, 0.7))
	f("also when others have some of the mass", 1, shares(0.9, 0.1), shares(0.1, 0.4, 0.3, 0.2))
	f("a lead within crumbs does not", 0, shares(0.9), shares(0.01, 0.15, 0.14, 0.14, 0.14, 0.14, 0.14, 0.14))
	f("leaving for the outside", fence.Outside, shares(0.9, 0.1), shares(0.2, 0.1))
	f("back from the outside", 0, shares(0.1), shares(0.8))
	f("no shares change nothing", 1, shares(0.1, 0.9), nil)
	f("a zone that is no more", 2, shares(0.1, 0.9), []fence.Share{{Zone: 2, P: 0.4}, {Zone: fence.Outside, P: 0.25}})
	f("no mass at all", 1, shares(0.1, 0.9), []fence.Share{{Zone: 0}, {Zone: fence.Outside}})
}

func TestDecisionConfigValidate(t *testing.T) {
	if err := fence.DefaultDecisionConfig().Validate(); err != nil {
		t.Error(err)
	}
	for field, cfg := range map[string]fence.DecisionConfig{
		"SwitchP": {SwitchP: 0.5},
		"LeastP":  {SwitchP: 0.7, LeastP: 1},
	} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%+v: got %v, want something about %s", cfg, err, field)
		}
	}
	if (fence.DecisionConfig{SwitchP: math.NaN()}).Validate() == nil {
		t.Error("NaN was accepted")
	}
}

// Whatever the fixes: the zone shown never has less than two thirds of the
// likeliest one's mass once LeastP is met, equal fixes change nothing the second
// time, and zones are never invented.
func TestDecisionInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := fence.DefaultDecisionConfig()
		var d fence.Decision
		for range rapid.IntRange(1, 20).Draw(t, "fixes") {
			raw := rapid.SliceOfN(rapid.Float64Range(0.001, 1), 4, 4).Draw(t, "masses")
			sum := raw[0] + raw[1] + raw[2] + raw[3]
			s := shares(raw[0]/sum, raw[1]/sum, raw[2]/sum)
			zone := d.Decide(cfg, s)
			shown, best := 0.0, 0.0
			for _, share := range s {
				best = max(best, share.P)
				if share.Zone == zone {
					shown = share.P
				}
			}
			if limit := best * (1 - cfg.SwitchP) / cfg.SwitchP; best >= cfg.LeastP && shown < limit-1e-9 {
				t.Fatalf("zone %d of %v is shown", zone, s)
			}
			if again := d.Decide(cfg, s); again != zone {
				t.Fatalf("the same fix twice: %d, then %d", zone, again)
			}
		}
	})
}
