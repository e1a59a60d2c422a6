package ingest_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// The owners of device 1 in these tests: organisation 8 until 20 minutes ago, then
// nobody, organisation 9 from 15 to 10 minutes ago, then organisation 1.
func rebound() ingest.Device {
	d := device(1)
	d.Since = at(-10 * time.Minute)
	d.Former = []ingest.Former{
		{Source: schema.Source{Organisation: schema.OrganisationID{9}, Device: d.Device, Location: schema.LocationID{9}, KeepDays: 30}, From: at(-15 * time.Minute), To: at(-10 * time.Minute)},
		{Source: schema.Source{Organisation: schema.OrganisationID{8}, Device: d.Device, KeepDays: 1}, To: at(-20 * time.Minute)},
	}
	return d
}

// heardAt is a frame sent now whose observations are that old.
func heardAt(seq uint64, ages ...time.Duration) schema.Frame {
	f := schema.Frame{BootID: "b", Seq: seq, SentAt: at(0)}
	for _, age := range ages {
		f.Observations = append(f.Observations, schema.Observation{At: at(-age), Transmitter: mac, RSSI: -6000})
	}
	return f
}

// storedOf returns which observations of the journal went to the organisation.
func (w *world) storedOf(org byte) (indexes []uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.journal {
		if f.Organisation == (schema.OrganisationID{org}) {
			indexes = append(indexes, f.Indexes...)
		}
	}
	slices.Sort(indexes)
	return indexes
}

// Each observation goes to whose the device was then, under its own index; what was
// nobody's is refused; only the present owner's moves a live map.
func TestFramesAreDividedByOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.devices["token-1"] = rebound()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
		refused := s.Offer(message(heardAt(1, minutes(1), minutes(12), minutes(17), minutes(30), minutes(10), minutes(15), minutes(20), 30*time.Hour)))
		want := []wire.Rejection{
			{BootID: "b", Seq: 1, Index: 2, Reason: wire.AtUnbound}, {BootID: "b", Seq: 1, Index: 6, Reason: wire.AtUnbound},
			{BootID: "b", Seq: 1, Index: 7, Reason: wire.AtExpired}, // organisation 8 keeps a day
		}
		if !slices.Equal(refused, want) {
			t.Errorf("refused %v, want %v", refused, want)
		}
		synctest.Wait()
		for org, want := range map[byte][]uint16{1: {0, 4}, 9: {1, 5}, 8: {3}} {
			if got := w.storedOf(org); !slices.Equal(got, want) {
				t.Errorf("organisation %d got %v, want %v", org, got, want)
			}
		}
		if len(w.live) != 1 || w.live[0].Organisation != (schema.OrganisationID{1}) || len(w.live[0].Observations) != 2 {
			t.Errorf("the actors got %+v", w.live)
		}
		if len(w.aside) != 0 {
			t.Errorf("a former owner's rows were put aside for %v", w.aside[0].Organisation)
		}
		wantAcks(t, s, nil)
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 1))
		if got := in.Stats(); got.InFlight != 0 {
			t.Errorf("%d observations still count as on their way", got.InFlight)
		}
	})
}

// A frame is acknowledged when all its parts are stored, and sent again when one is not.
func TestDividedFramesAreStoredWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.devices["token-1"] = rebound()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		f := heardAt(1, time.Minute, 12*time.Minute)
		s.Offer(message(f))
		synctest.Wait()
		var parts []queued
		w.set(func() { parts, w.queued = w.queued, nil })
		if len(parts) != 2 {
			t.Fatalf("%d parts, want 2", len(parts))
		}
		parts[0].done(nil)
		wantAcks(t, s, nil)
		parts[1].done(errors.New("given up"))
		wantAcks(t, s, nil)
		s.Offer(message(f))
		synctest.Wait()
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 1))
	})
}

// After a restart, that some rows of a divided frame are stored proves nothing.
func TestDividedFramesAreNotBelievedStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.devices["token-1"] = rebound()
		f := heardAt(1, time.Minute, 12*time.Minute)
		w.rows[row{schema.DeviceID{1}, "b", 1, 0}] = schema.Heard{Observation: f.Observations[0]}
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(f))
		synctest.Wait()
		if got := w.storedOf(9); !slices.Equal(got, []uint16{1}) {
			t.Errorf("the former owner got %v, want its observation", got)
		}
	})
}

// A device that is nobody's now still delivers what its former owner is owed, and
// nothing else.
func TestUnboundDevicesDeliverWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := rebound()
		d.Organisation, d.Location, d.KeepDays = schema.OrganisationID{}, schema.LocationID{}, 0
		w.devices["token-1"] = d
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(heardAt(1, time.Minute, 12*time.Minute), heardAt(2, time.Minute)))
		synctest.Wait()
		if got := w.storedOf(9); !slices.Equal(got, []uint16{1}) {
			t.Errorf("the former owner got %v, want its observation", got)
		}
		if live, journal, _ := w.counts(); live != 0 || journal != 1 {
			t.Errorf("%d frames went to the actors and %d to the journal, want none and 1", live, journal)
		}
		wantAcks(t, s, ranges("b", 2, 2))
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 2))
	})
}

// The times of a recording have nothing to do with when the device was bound.
func TestRecordingsAreNotDivided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := rebound()
		d.Clock = ingest.ClockSource
		w.devices["token-1"] = d
		in, _ := start(t, w, nil)
		stream(t, in).Offer(message(heardAt(1, 12*time.Minute, 17*time.Minute)))
		synctest.Wait()
		if got := w.storedOf(1); !slices.Equal(got, []uint16{0, 1}) {
			t.Errorf("the owner got %v, want all", got)
		}
	})
}

// Whatever the times, no owner ever gets what was heard outside of his own.
func TestNobodyGetsAnothersObservations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ages := rapid.SliceOfN(rapid.Int64Range(0, int64(40*time.Minute/time.Millisecond)), 1, 30).Draw(rt, "ages in ms")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.devices["token-1"] = rebound()
			in, _ := start(t, w, nil)
			var old []time.Duration
			for _, ms := range ages {
				old = append(old, time.Duration(ms)*time.Millisecond)
			}
			refused := stream(t, in).Offer(message(heardAt(1, old...)))
			synctest.Wait()
			kept := len(w.storedOf(1)) + len(w.storedOf(8)) + len(w.storedOf(9))
			if kept+len(refused) != len(ages) {
				rt.Fatalf("%d kept and %d refused of %d", kept, len(refused), len(ages))
			}
			for _, f := range w.journal {
				for i, h := range f.Observations {
					if h.At != at(-old[f.Indexes[i]]) {
						rt.Fatalf("index %d names another observation", f.Indexes[i])
					}
					from, to := map[byte]schema.EventTime{1: at(-10 * time.Minute), 9: at(-15 * time.Minute), 8: 0}[f.Organisation[0]],
						map[byte]schema.EventTime{1: at(time.Hour), 9: at(-10 * time.Minute), 8: at(-20 * time.Minute)}[f.Organisation[0]]
					if h.At < from || h.At >= to {
						rt.Fatalf("organisation %d got %v", f.Organisation[0], h.At.Time())
					}
				}
			}
		})
	})
}

// Another version of the configuration is told of once.
func TestConfigurationsAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		told := func() bool {
			time.Sleep(5 * time.Second)
			select {
			case <-s.Configs():
				return true
			default:
				return false
			}
		}
		for version, want := range []bool{false, true, true} {
			w.set(func() {
				d := w.devices["token-1"]
				d.ConfigVersion = int64(version)
				w.devices["token-1"] = d
			})
			if got := told(); got != want {
				t.Errorf("version %d was told of: %v, want %v", version, got, want)
			}
			if told() {
				t.Errorf("version %d was told of twice", version)
			}
		}
	})
}
