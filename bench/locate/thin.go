package locate

import (
	"math"
	"math/rand/v2"

	"mybeacon/bench/recording"
)

// Thin returns the readings of n points of a survey, spread as evenly as a careful
// surveyor would: the first anywhere, by the seed, and each next one as far as can
// be from all before it. The order of the readings stays. All of them are returned
// where there are no more points than that.
func Thin(survey []recording.SurveyPoint, n int, seed uint64) []recording.SurveyPoint {
	var points []recording.SurveyPoint // the first reading of each
	index := make(map[string]int)
	for _, p := range survey {
		if _, known := index[p.Point]; !known {
			index[p.Point] = len(points)
			points = append(points, p)
		}
	}
	if n >= len(points) {
		return survey
	}
	far := make([]float64, len(points)) // from the nearest that was chosen
	for i := range far {
		far[i] = math.Inf(1)
	}
	next := rand.New(rand.NewPCG(seed, 0)).IntN(len(points))
	for range n {
		for i, p := range points {
			far[i] = min(far[i], math.Hypot(p.X-points[next].X, p.Y-points[next].Y))
		}
		far[next] = -1 // chosen
		next = farthest(far)
	}
	var out []recording.SurveyPoint
	for _, p := range survey {
		if far[index[p.Point]] < 0 {
			out = append(out, p)
		}
	}
	return out
}

func farthest(far []float64) int {
	best := 0
	for i, d := range far {
		if d > far[best] {
			best = i
		}
	}
	return best
}
