package load

import (
	"math"
	"time"
)

// A histogram's buckets are 1 % wide, from 1 µs to somewhat over an hour.
const (
	bucketGrowth = 1.01
	buckets      = 2220
)

// histogram counts durations in bounded memory, for however long a run lasts.
type histogram struct {
	counts [buckets]uint64
	total  uint64
}

// add counts a duration; what is beyond an end counts as that end.
func (h *histogram) add(d time.Duration) {
	us := float64(d) / float64(time.Microsecond)
	i := 0
	if us > 1 {
		i = min(int(math.Log(us)/math.Log(bucketGrowth))+1, buckets-1)
	}
	h.counts[i]++
	h.total++
}

// quantile returns the q-th of the durations in milliseconds, NaN of none. It is
// at most 1 % too high.
func (h *histogram) quantile(q float64) float64 {
	if h.total == 0 {
		return math.NaN()
	}
	rank := uint64(math.Ceil(q * float64(h.total)))
	var sum uint64
	for i, n := range h.counts {
		if sum += n; sum >= max(rank, 1) {
			return math.Pow(bucketGrowth, float64(i)) / 1000
		}
	}
	panic("BUG: a histogram's counts are fewer than their total")
}
