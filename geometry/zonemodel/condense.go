package zonemodel

import "slices"

// rounds of k-means: prototypes hardly move after so many.
const rounds = 12

// condense makes at most so many prototypes of what was heard in a zone and adds to spread, per
// receiver, the squared distances of what was heard to its prototype, dB².
//
// The first prototypes are those farthest from each other, so that the result
// depends on no random numbers and rare places are not forgotten.
func condense(heard [][]float64, most int, spread []float64) []prototype {
	slices.SortFunc(heard, slices.Compare) // so that the order of examples does not matter
	centres := farthest(heard, min(most, (len(heard)+1)/2))
	of := make([]int, len(heard))
	for range rounds {
		assign(heard, centres, of)
		centres = means(heard, centres, of)
	}
	assign(heard, centres, of)
	out := make([]prototype, len(centres))
	for i, c := range centres {
		out[i].rssi = c
	}
	for i, h := range heard {
		out[of[i]].share += 1 / float64(len(heard))
		for r, v := range h {
			d := v - centres[of[i]][r]
			spread[r] += d * d
		}
	}
	return slices.DeleteFunc(out, func(p prototype) bool { return p.share == 0 })
}

// farthest picks k of what was heard, each the farthest from those before.
func farthest(heard [][]float64, k int) [][]float64 {
	out := [][]float64{slices.Clone(heard[0])}
	nearest := make([]float64, len(heard))
	for i, h := range heard {
		nearest[i] = distance(h, out[0])
	}
	for len(out) < k {
		far := 0
		for i, d := range nearest {
			if d > nearest[far] {
				far = i
			}
		}
		c := slices.Clone(heard[far])
		out = append(out, c)
		for i, h := range heard {
			nearest[i] = min(nearest[i], distance(h, c))
		}
	}
	return out
}

// assign notes for all that was heard which centre is the nearest.
func assign(heard, centres [][]float64, of []int) {
	for i, h := range heard {
		best := distance(h, centres[0])
		of[i] = 0
		for k, c := range centres[1:] {
			if d := distance(h, c); d < best {
				best, of[i] = d, k+1
			}
		}
	}
}

// means returns the mean of each centre's own; one without any stays.
func means(heard, centres [][]float64, of []int) [][]float64 {
	out := make([][]float64, len(centres))
	n := make([]float64, len(centres))
	for k := range out {
		out[k] = make([]float64, len(centres[k]))
	}
	for i, h := range heard {
		n[of[i]]++
		for r, v := range h {
			out[of[i]][r] += v
		}
	}
	for k := range out {
		if n[k] == 0 {
			copy(out[k], centres[k])
			continue
		}
		for r := range out[k] {
			out[k][r] /= n[k]
		}
	}
	return out
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return sum
}
