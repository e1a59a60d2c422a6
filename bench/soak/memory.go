package soak

import (
	"context"
	"math"
	"time"

	"mybeacon/bench/rig"
)

// memory is the resident set of the server's lives, once a second.
type memory struct {
	lives []life
	peak  int
}

// life is one process of the server.
type life struct {
	pid    int
	began  time.Time
	at, mb []float64 // hours since it began, and the set
}

// settled is what a life's beginning is left out of the slope for: caches fill.
const settled = 2 * time.Minute

// watch samples until the context ends.
func (m *memory) watch(ctx context.Context, s *rig.Server) {
	for pause(ctx, time.Second) == nil {
		if kib, ok := s.RSSKiB(); ok {
			m.add(s.PID(), time.Now(), kib)
		}
	}
}

func (m *memory) add(pid int, now time.Time, kib int) {
	if n := len(m.lives); n == 0 || m.lives[n-1].pid != pid {
		m.lives = append(m.lives, life{pid: pid, began: now})
	}
	l := &m.lives[len(m.lives)-1]
	m.peak = max(m.peak, kib)
	if since := now.Sub(l.began); since >= settled {
		l.at, l.mb = append(l.at, since.Hours()), append(l.mb, megabytes(kib))
	}
}

func megabytes(kib int) float64 { return float64(kib) * 1024 / 1e6 }

// largest returns the peak in MB, NaN where it is not known.
func (m *memory) largest() float64 {
	if m.peak == 0 {
		return math.NaN()
	}
	return megabytes(m.peak)
}

// slope returns by how many per cent of its mean the set of the longest life grew in an
// hour, by least squares; NaN when that is shorter than ten minutes.
func (m *memory) slope() float64 {
	var l life
	for _, one := range m.lives {
		if len(one.at) > len(l.at) {
			l = one
		}
	}
	if len(l.at) < 2 || l.at[len(l.at)-1]-l.at[0] < (10*time.Minute-settled).Hours() {
		return math.NaN()
	}
	x, y := mean(l.at), mean(l.mb)
	above, below := 0.0, 0.0
	for i := range l.at {
		above += (l.at[i] - x) * (l.mb[i] - y)
		below += (l.at[i] - x) * (l.at[i] - x)
	}
	return 100 * above / below / y
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
