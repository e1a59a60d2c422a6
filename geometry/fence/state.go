package fence

import (
	"fmt"
	"time"
)

// Config holds the delays after which a change of zone counts.
type Config struct {
	EnterDelay time.Duration // in a new zone for so long: entered
	ExitDelay  time.Duration // not in the zone for so long: left
	Timeout    time.Duration // silence after which a tag is absent; the caller watches for it
}

// DefaultConfig returns delays that suit people: two fixes more to confirm an
// entry, three to confirm an exit, because a wrong exit splits a visit in two
// and a wrong entry only begins one late.
func DefaultConfig() Config {
	return Config{EnterDelay: 2 * time.Second, ExitDelay: 3 * time.Second, Timeout: 60 * time.Second}
}

// Validate reports the first delay that is out of range.
func (c Config) Validate() error {
	if c.EnterDelay < 0 || c.ExitDelay < 0 {
		return fmt.Errorf("fence: enter delay %s and exit delay %s must not be negative", c.EnterDelay, c.ExitDelay)
	}
	if c.Timeout <= 0 || c.Timeout <= c.EnterDelay || c.Timeout <= c.ExitDelay {
		return fmt.Errorf("fence: timeout %s must be longer than the delays", c.Timeout)
	}
	return nil
}

// Outside is the zone of a point that is in none.
const Outside = -1

// Transition is a confirmed entry or exit. At is when it began: the event time
// of the first fix on the new side, not that of the fix which confirmed it.
type Transition struct {
	Zone  int
	Enter bool
	At    time.Duration
}

// State is where one tag is, as far as confirmed. The zero value is a tag that
// is outside all zones. A tag is in one zone at most: entering one leaves the
// other.
//
// Two rows of fixes are watched side by side, because they answer different
// questions. "For how long has it been in the candidate?" decides an entry and
// begins anew with every other zone seen. "For how long has it not been in its
// zone?" decides an exit and runs through any number of candidates: a tag that
// wanders along a corridor of small zones has left its room, although it stays
// nowhere long enough to enter.
//
//	second     0  1  2  3  4  5  6  7     delays: enter 2 s, exit 3 s
//	seen       A  A  A  B  C  B  B  B
//	candidate        +A B  C  B  .  +B    entered A at 0, B at 5
//	away                .  .  .  -A       left A at 3
type State struct {
	zone      int           // confirmed, plus one: zero is outside
	candidate int           // seen last, plus one; differs from zone while a change is pending
	since     time.Duration // first fix of the unbroken row in candidate
	away      time.Duration // first fix of the unbroken row not in zone
	last      time.Duration // newest fix
}

// Within returns the state of a tag that was last confirmed in that zone, or
// [Outside]: what a restart knows from open visits.
func Within(zone int) State { return State{zone: zone + 1, candidate: zone + 1} }

// Zone returns the confirmed zone, or [Outside].
func (s *State) Zone() int { return s.zone - 1 }

// Observe takes a fix in a zone, or [Outside], and returns what it confirms:
// nothing, an exit, an entry, or an exit and then an entry. Fixes come in order
// of event time; an earlier one counts as simultaneous with the newest.
//
// Times of transitions never decrease, and entries and exits alternate.
func (s *State) Observe(cfg Config, at time.Duration, zone int) []Transition {
	at = s.look(cfg, at, zone+1)
	if s.candidate == s.zone {
		return nil
	}
	var out []Transition
	entered := s.candidate != 0 && at-s.since >= cfg.EnterDelay
	if s.zone != 0 && (entered || at-s.away >= cfg.ExitDelay) {
		out = append(out, Transition{Zone: s.zone - 1, At: s.away})
		s.zone = 0
	}
	if entered {
		out = append(out, Transition{Zone: s.candidate - 1, Enter: true, At: s.since})
		s.zone = s.candidate
	}
	return out
}

// look updates for how long what has been seen and returns the fix's time. A
// pending change does not survive a silence of Timeout: two flickers an hour
// apart are not an hour's stay.
func (s *State) look(cfg Config, at time.Duration, seen int) time.Duration {
	at = max(at, s.last)
	fresh := at-s.last > cfg.Timeout
	if s.candidate == s.zone || fresh {
		s.away = at
	}
	if s.candidate != seen || fresh {
		s.candidate, s.since = seen, at
	}
	s.last = at
	return at
}

// Leave ends the stay in the confirmed zone because the tag has fallen silent;
// at is when it was last heard or later, as the caller defines absence. An exit
// that was pending keeps its own, earlier time. A pending entry is dropped.
func (s *State) Leave(at time.Duration) []Transition {
	at = max(at, s.last)
	var out []Transition
	if s.zone != 0 {
		if s.candidate != s.zone {
			at = s.away
		}
		out = []Transition{{Zone: s.zone - 1, At: at}}
	}
	*s = State{last: max(at, s.last)}
	return out
}
