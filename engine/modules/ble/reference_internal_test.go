package ble

import (
	"math"
	"testing"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/schema"
)

// Round after round, the means forget in a day, and the engine is told in steps.
func TestCount(t *testing.T) {
	tag, near, far := schema.TagID{1}, schema.ReceiverID{1}, schema.ReceiverID{2}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var means []store.Mean
	told := 0
	round := func(after time.Duration, dbm float64, n uint64) (tell bool) {
		at = at.Add(after)
		means, tell = count(means, []heard.Mean{{Tag: tag, Receiver: near, DBm: dbm, Observations: n}}, at)
		if tell {
			told++
		}
		return tell
	}
	if round(referenceEvery, -60, 29) {
		t.Error("told of too few observations")
	}
	if !round(referenceEvery, -60, 300) || means[0].Told.DBm() != -60 {
		t.Errorf("not told: %+v", means)
	}
	for i := range 12 * 24 { // a day of breathing by 3 dB
		if round(referenceEvery, -60+3*math.Sin(float64(i)), 300) {
			t.Errorf("told of a breath: %+v", means[0])
		}
	}
	for range 12 * 24 * 4 { // somebody put a shelf in between
		round(referenceEvery, -70, 300)
	}
	if got := means[0]; math.Abs(got.RunningDBm+70) > 0.3 || math.Abs(got.Told.DBm()+70) > referenceStepDB || told < 4 || told > 7 {
		t.Errorf("after four days %+v, told %d times", got, told)
	}
	if math.Abs(means[0].Weight-300*12*24) > 300*12 {
		t.Errorf("a day weighs %g observations", means[0].Weight)
	}
	// A receiver that is new makes all be told as they are now.
	was := *means[0].Told
	means[0].RunningDBm += 1
	var tell bool
	means, tell = count(means, []heard.Mean{{Tag: tag, Receiver: far, DBm: -80, Observations: 30}}, at)
	if !tell || len(means) != 2 || means[1].Told.DBm() != -80 || *means[0].Told == was {
		t.Errorf("got %+v", means)
	}
}
