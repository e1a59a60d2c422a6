package locate_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
)

// lawn is a survey of side × side points a metre apart, heard by two receivers.
func lawn(side int) []recording.SurveyPoint {
	var out []recording.SurveyPoint
	for i := range side * side {
		for r := range 2 {
			out = append(out, recording.SurveyPoint{Point: fmt.Sprint(i), X: float64(i % side), Y: float64(i / side), Receiver: r})
		}
	}
	return out
}

func TestThinSpreadsPointsEvenly(t *testing.T) {
	survey := lawn(20)
	for seed := range uint64(5) {
		thin := locate.Thin(survey, 9, seed)
		if len(thin) != 18 {
			t.Fatalf("%d readings of 9 points with 2 each", len(thin))
		}
		nearest := math.Inf(1)
		for i := 0; i < len(thin); i += 2 {
			if thin[i].Point != thin[i+1].Point {
				t.Fatalf("%v and %v are of one point", thin[i], thin[i+1])
			}
			for j := 0; j < i; j += 2 {
				nearest = min(nearest, math.Hypot(thin[i].X-thin[j].X, thin[i].Y-thin[j].Y))
			}
		}
		if nearest < 5 { // a perfect grid of nine would have 9.5
			t.Errorf("seed %d: two points are %.1f m apart", seed, nearest)
		}
		if !slices.Equal(thin, locate.Thin(survey, 9, seed)) {
			t.Errorf("seed %d: not the same again", seed)
		}
	}
}

func TestThinLeavesASmallSurveyAlone(t *testing.T) {
	survey := lawn(3)
	if got := locate.Thin(survey, 9, 1); !slices.Equal(got, survey) {
		t.Errorf("%d readings of %d", len(got), len(survey))
	}
	if got := locate.Thin(survey, 0, 1); len(got) != 0 {
		t.Errorf("no points have %d readings", len(got))
	}
}
