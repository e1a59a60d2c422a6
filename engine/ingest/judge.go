package ingest

import (
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Bounds of event times.
const (
	// futureLimit is what a clock may be ahead before its times are put aside.
	futureLimit = 5 * time.Minute
	// spanLimit is how much older than its frame an observation may be. It bounds
	// the days, and so the partitions, that one frame touches.
	spanLimit = 7 * 24 * time.Hour
	// earliest is the first time believed, 2000-01-01: a clock that was never set
	// says 1970, and nothing advertised before.
	earliest = schema.EventTime(946_684_800_000)
)

// judge holds what frames of one device are measured by, at one moment.
type judge struct {
	now    schema.EventTime
	oldest schema.EventTime // retention; 0: no limit
}

func newJudge(dev Device, now time.Time) judge {
	j := judge{now: schema.EventTimeOf(now)}
	if dev.KeepDays != schema.KeepForever && dev.Clock != ClockSource {
		j.oldest = j.now.Add(-time.Duration(dev.KeepDays) * 24 * time.Hour)
	}
	return j
}

// frame returns why the whole frame is refused, or 0.
func (j judge) frame(f *schema.Frame) wire.Reason {
	switch {
	case !wire.ValidBootID(f.BootID):
		return wire.BootIDInvalid
	case f.Seq == 0:
		return wire.SeqInvalid
	case f.SentAt < earliest:
		return wire.SentAtInvalid
	case f.SentAt > j.now.Add(futureLimit):
		return wire.SentAtFuture
	case len(f.Observations) > wire.DefaultLimits().FrameLength:
		return wire.FrameTooLong
	default:
		return 0
	}
}

// observation returns why the observation is refused, or 0.
func (j judge) observation(f *schema.Frame, o *schema.Observation) wire.Reason {
	switch {
	case o.At == wire.MalformedObs:
		return wire.ObservationMalformed
	case o.Transmitter.Kind == schema.TransmitterNone || o.Transmitter.Kind > schema.TransmitterEddystoneUID:
		return wire.TransmitterInvalid
	case o.RSSI == wire.AirAbsent:
		return wire.RSSIAbsent
	case o.RSSI < schema.MinRSSI || o.RSSI > schema.MaxRSSI:
		return wire.RSSIOutOfRange
	case o.At > j.now.Add(futureLimit):
		return wire.AtFuture
	case o.At < earliest, o.At < f.SentAt.Add(-spanLimit), o.At > f.SentAt.Add(futureLimit):
		return wire.AtInconsistent
	case o.At < j.oldest:
		return wire.AtExpired
	default:
		return 0
	}
}

// observations returns the ones that pass, with their indexes, and the refusals.
func (j judge) observations(f *schema.Frame) (heard []schema.Heard, indexes []uint16, refusals []wire.Rejection) {
	if len(f.Observations) == 0 {
		return nil, nil, nil
	}
	heard = make([]schema.Heard, 0, len(f.Observations))
	indexes = make([]uint16, 0, len(f.Observations))
	for i := range f.Observations {
		o := &f.Observations[i]
		if reason := j.observation(f, o); reason != 0 {
			refusals = append(refusals, wire.Rejection{BootID: f.BootID, Seq: f.Seq, Index: i, Reason: reason})
			continue
		}
		heard = append(heard, schema.Heard{Observation: *o})
		indexes = append(indexes, uint16(i))
	}
	return heard, indexes, refusals
}

const dayMillis = 24 * 60 * 60 * 1000

// onOneDay reports whether the frame, as sent, falls on one day in UTC: only
// then do some of its rows in the warehouse prove that all are there.
func onOneDay(f *schema.Frame) bool {
	for i := range f.Observations {
		if f.Observations[i].At/dayMillis != f.Observations[0].At/dayMillis {
			return false
		}
	}
	return true
}
