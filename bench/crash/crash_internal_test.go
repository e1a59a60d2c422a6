package crash

import (
	"math"
	"testing"
	"time"
)

func TestP99(t *testing.T) {
	if !math.IsNaN(p99(nil)) {
		t.Error("no times have a percentile")
	}
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i)*time.Second)
	}
	if got := p99(times); got != 198 {
		t.Errorf("of 1…200 s: %v", got)
	}
	if got := p99(times[:20]); got != 200 {
		t.Errorf("of 181…200 s: %v", got)
	}
}
