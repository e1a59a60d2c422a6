package locate

import (
	"math"
	"time"
)

// nearChange is how near to a true change an epoch may be without counting for
// Figures.AccuracyOutside2s.
const nearChange = 2 * time.Second

// zoneTally pools what is said about zones. Snapshots count for right and all
// only: they have no course.
type zoneTally struct {
	right, all       int
	rightFar, allFar int
	shown, truth     int // changes
	late             time.Duration
	misallocated     time.Duration
	walked           time.Duration
}

// change is a true change of zone.
type change struct {
	at, until time.Duration // until the next one
	zone      int
}

func (z *zoneTally) add(tr *trail, looks []look) {
	for _, l := range looks {
		z.all++
		if l.shown == l.truth {
			z.right++
		}
	}
	if tr.snapshot || len(looks) == 0 {
		return
	}
	changes := changesOf(looks)
	z.truth += len(changes)
	for i := 1; i < len(looks); i++ {
		if looks[i].shown != looks[i-1].shown {
			z.shown++
		}
	}
	z.addFar(looks, changes)
	for _, c := range changes {
		z.late += lateness(looks, c)
	}
	z.addDwell(tr.visits, looks)
}

func changesOf(looks []look) []change {
	var out []change
	for i := 1; i < len(looks); i++ {
		if l := looks[i]; l.truth != looks[i-1].truth {
			if n := len(out); n > 0 {
				out[n-1].until = l.since
			}
			out = append(out, change{l.since, looks[len(looks)-1].at, l.truth})
		}
	}
	return out
}

func (z *zoneTally) addFar(looks []look, changes []change) {
	for _, l := range looks {
		far := true
		for _, c := range changes {
			far = far && (l.at-c.at).Abs() > nearChange
		}
		if !far {
			continue
		}
		z.allFar++
		if l.shown == l.truth {
			z.rightFar++
		}
	}
}

// lateness returns how long after the change its zone was shown.
func lateness(looks []look, c change) time.Duration {
	for _, l := range looks {
		if l.at >= c.at && l.at <= c.until && l.truth == c.zone && l.shown == c.zone {
			return l.at - c.at
		}
	}
	return c.until - c.at
}

// addDwell compares the time in visits with the time in truth. Each epoch stands
// for the second before it, so only seconds whose truth is known count.
func (z *zoneTally) addDwell(visits []visit, looks []look) {
	surplus := make(map[int]time.Duration) // visits minus truth
	for _, l := range looks {
		elsewhere := time.Second
		for _, v := range visits {
			if d := min(v.to, l.at) - max(v.from, l.at-time.Second); d > 0 {
				surplus[v.zone] += d
				elsewhere -= d
			}
		}
		surplus[outside] += elsewhere
		surplus[l.truth] -= time.Second
	}
	for _, s := range surplus {
		z.misallocated += s.Abs() / 2
	}
	z.walked += time.Duration(len(looks)) * time.Second
}

func (z *zoneTally) figures(f *Figures) {
	f.ZoneAccuracy = float64(z.right) / float64(z.all)
	f.AccuracyOutside2s = float64(z.rightFar) / float64(z.allFar)
	f.LatencyS = z.late.Seconds() / float64(z.truth)
	f.DwellMisallocated = z.misallocated.Seconds() / z.walked.Seconds()
	f.ZoneSwitches, f.TrueSwitches = float64(z.shown), float64(z.truth)
	if z.walked == 0 {
		f.ZoneSwitches, f.TrueSwitches = math.NaN(), math.NaN()
	}
}
