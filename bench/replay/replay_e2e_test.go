package replay_test

import (
	"fmt"
	"strings"
	"testing"

	"mybeacon/bench/replay"
	"mybeacon/bench/rig"
	"mybeacon/bench/rig/rigtest"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { rigtest.Main(m) }

// A replay stores what the recording has, once; again it adds nothing, but the survey
// when that is asked for.
func TestReplayIntoAServer(t *testing.T) {
	if err := rig.On(t.Context(), rigtest.Program(t), func(s *rig.Server) error { return replays(t, s) }); err != nil {
		t.Fatal(err)
	}
}

func replays(t *testing.T, s *rig.Server) error {
	cfg := replay.Config{
		Dir: "../recording/testdata/kiosk", Server: s.URL(), Email: rig.AdminEmail, Password: rig.AdminPassword, Create: true,
	}
	first, err := replay.Run(t.Context(), cfg)
	if err != nil {
		return err
	}
	if first.ObservationsSent == 0 || first.ObservationsAcked != first.ObservationsSent || first.FramesAcked != first.FramesSent {
		t.Errorf("sent and acknowledged differ: %+v", first)
	}
	if first.FramesSent%len(kiosk(t).Receivers) != 0 {
		t.Errorf("%d frames: one receiver did not speak in every second", first.FramesSent)
	}
	want := fmt.Sprintf("%d\t%d\t0", first.ObservationsAcked, len(kiosk(t).Tracks))
	const count = "SELECT count(), uniqExact(tag), countIf(late) FROM observations FINAL"
	if stored, err := one(t, s, count); err != nil || stored != want {
		t.Errorf("stored is %q, %v, want %q", stored, err, want)
	}
	cfg.Create, cfg.Survey = false, true
	if _, err := replay.Run(t.Context(), cfg); schema.KindOf(err) != schema.NotFound || !strings.Contains(err.Error(), "survey") {
		t.Errorf("a survey that is not there: %v", err)
	}
	cfg.Create = true
	second, err := replay.Run(t.Context(), cfg)
	if err != nil {
		return err
	}
	if second.ObservationsAcked != first.ObservationsAcked || second.Location != first.Location {
		t.Errorf("the second replay was another one: %+v, %+v", first, second)
	}
	if stored, err := one(t, s, count); err != nil || stored != want {
		t.Errorf("after the second replay stored is %q, %v, want %q", stored, err, want)
	}
	cfg.Create = false
	_, err = replay.Run(t.Context(), cfg) // now all is there, the survey's last reading too
	return err
}

// one returns the lines of the warehouse's answer.
func one(t *testing.T, s *rig.Server, sql string) (string, error) {
	var lines []string
	err := s.Ask(t.Context(), sql, func(line []byte) error { lines = append(lines, string(line)); return nil })
	return strings.Join(lines, "|"), err
}
