package locate

import "slices"

// Who does not hear a tag says little: receivers miss a tag two metres off for
// minutes, or are dead. But where few hear it, what they say leaves the far side of
// the plan as likely as the near one, or more, since faint tags are rarer than far
// ones; and there receivers would hear it that are silent. So with few readings the
// silence of the loudest one's neighbours counts: the fewer hear it and the louder
// one would have to, the more, but never for much, as it may be dead.
//
// The numbers are as strong as the recorded library, where phones miss beacons, bears
// without loss. With six readings instead of four a dead receiver would pull its tags
// to the living ones.
const (
	fewHear    = 4   // readings up to which silence counts
	neighbours = 12  // receivers whose silence may count: bounds the work of a fix
	silentDB   = 7.0 // scale of how much louder a silent receiver may be expected
	fewerDB    = 2   // for each reading below fewHear it may be so much less loud
	silentMost = 0.5 // most that e²/(ν·σ²) counts for: 0.4 of the likelihood are left
)

// neighboursOf returns for each receiver those that are nearest to it on the plan,
// the nearest first.
func neighboursOf(site Site) [][]int32 {
	out := make([][]int32, len(site.Receivers))
	var near [neighbours]float64
	for i, r := range site.Receivers {
		ids := make([]int32, 0, min(neighbours, len(site.Receivers)-1))
		for j, o := range site.Receivers {
			d := (o.X-r.X)*(o.X-r.X) + (o.Y-r.Y)*(o.Y-r.Y)
			if i == j || len(ids) == neighbours && d >= near[neighbours-1] {
				continue
			}
			at := len(ids)
			for at > 0 && near[at-1] > d {
				at--
			}
			if len(ids) == neighbours {
				ids = ids[:neighbours-1]
			}
			ids = slices.Insert(ids, at, int32(j))
			copy(near[at+1:], near[at:])
			near[at] = d
		}
		out[i] = ids
	}
	return out
}

// silence multiplies s.odds by 1 + e²/(ν·σ²), bounded, for each silent neighbour
// that would have to hear the tag by e louder than the loudest does.
func (f *filter) silence(v view, readings []reading, s *scratch) {
	if len(readings) > fewHear {
		return
	}
	v.pairs(f.silent(readings, s), func(a, b reading, gainA, gainB []float32, from, to int) {
		level, odds := s.level[from:to], s.odds[from:to]
		gainA, gainB, odds = gainA[:len(level)], gainB[:len(level)], odds[:len(level)]
		for i, l := range level {
			odds[i] *= (1 + a.missed(l+gainA[i])) * (1 + b.missed(l+gainB[i]))
		}
	})
}

// missed returns how much it counts that a receiver did not hear what was to be
// expected.
func (r *reading) missed(expected float32) float32 {
	e := expected - r.rssi
	if e < 0 {
		return 0
	}
	return min(e*e*r.tail, silentMost)
}

// silent returns a reading for each neighbour of the loudest receiver that is silent:
// the power from which on that is odd.
func (f *filter) silent(readings []reading, s *scratch) []reading {
	loudest := readings[0].receiver
	heard := readings[0].rssi + float32(f.offsets.DB(loudest)) // as the radio said
	power := heard - fewerDB*float32(fewHear-len(readings))
	s.silent = s.silent[:0]
	for _, n := range f.loc.neighbours[loudest] {
		r := int(n)
		if !slices.ContainsFunc(readings, func(h reading) bool { return h.receiver == r }) {
			tail := float32(1 / (f.loc.cfg.Noise.Freedom * silentDB * silentDB))
			s.silent = append(s.silent, reading{receiver: r, rssi: power - float32(f.offsets.DB(r)), tail: tail})
		}
	}
	return s.silent
}
