package locate

import (
	"cmp"
	"slices"
	"time"
)

// reading is what one receiver says in one fix.
type reading struct {
	receiver int
	rssi     float32 // weighted mean of the window, dBm
	weight   float32 // inverse variance, 1/dB²
	tail     float32 // 1/(ν·variance), the scale of the Student-t
}

// heard condenses the samples of a window into one reading per receiver.
//
// Successive samples of one receiver are not independent: a body or a wall that
// swallows one swallows the next. So a receiver that heard a tag ten times is
// not believed more than one that heard it twice; its mean is only calmer. That
// also keeps a chatty receiver from outvoting the others.
type heard struct {
	sums     []sum // per receiver of the site; zero outside condense
	touched  []int
	readings []reading
}

type sum struct {
	weight, rssi float64
	newest       time.Duration
}

func newHeard(receivers, limit int) heard {
	return heard{
		sums:     make([]sum, receivers),
		touched:  make([]int, 0, receivers),
		readings: make([]reading, 0, limit),
	}
}

// condense returns the readings of the loudest receivers, loudest first. Means
// are taken in dB: fading is symmetric there, and a mean of milliwatts would be
// ruled by the one luckiest packet. The result is valid until the next call.
func (h *heard) condense(cfg *Config, samples []Sample) []reading {
	for _, s := range samples {
		if s.Receiver < 0 || s.Receiver >= len(h.sums) || s.Age > cfg.Window || !(s.RSSIdBm >= -127 && s.RSSIdBm <= 20) {
			continue
		}
		h.add(cfg, s)
	}
	for _, r := range h.touched {
		h.sums[r].rssi /= h.sums[r].weight
	}
	slices.SortFunc(h.touched, func(a, b int) int {
		return cmp.Or(cmp.Compare(h.sums[b].rssi, h.sums[a].rssi), cmp.Compare(a, b))
	})
	h.readings = h.readings[:0]
	for i, r := range h.touched {
		if i < cfg.MaxReceivers {
			loudest := h.sums[h.touched[0]].rssi
			h.readings = append(h.readings, h.sums[r].reading(cfg, r, loudest))
		}
	}
	h.clear()
	return h.readings
}

// maxDecay keeps the weight of the oldest sample positive, so that a receiver
// heard only long ago has a mean: e^−50 is 2e−22.
const maxDecay = 50

// add counts one sample, the newer the more. The decay per Memory is fast, so
// that a walking tag is not held back by where it was; older samples matter to
// tags that send every few seconds, where they are all there is.
func (h *heard) add(cfg *Config, s Sample) {
	age := max(s.Age, 0)
	t := &h.sums[s.Receiver]
	if t.weight == 0 {
		h.touched = append(h.touched, s.Receiver)
		t.newest = age
	}
	w := float64(exp32(-min(float32(age)/float32(cfg.Memory), maxDecay)))
	t.weight += w
	t.rssi += w * s.RSSIdBm
	t.newest = min(t.newest, age)
}

// reading gives a receiver its noise: the scale of the loudest, more for every
// dB it is weaker (walls), and more for every second its news is old (motion).
func (t *sum) reading(cfg *Config, receiver int, loudest float64) reading {
	weak := cfg.WeakDB * (loudest - t.rssi)
	variance := cfg.Noise.ScaleDB*cfg.Noise.ScaleDB + weak*weak + cfg.StaleDB2PS*t.newest.Seconds()
	return reading{
		receiver: receiver,
		rssi:     float32(t.rssi),
		weight:   float32(1 / variance),
		tail:     float32(1 / (cfg.Noise.Freedom * variance)),
	}
}

// clear leaves the sums zero by undoing only what was touched: a site may have
// hundreds of receivers of which a dozen hear a tag.
func (h *heard) clear() {
	for _, r := range h.touched {
		h.sums[r] = sum{}
	}
	h.touched = h.touched[:0]
}
