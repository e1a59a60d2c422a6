package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// nobody is a world that stores and knows nothing.
type nobody struct{}

func (nobody) DeviceByToken(context.Context, string) (Device, error) {
	return Device{Source: schema.Source{Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{1}, KeepDays: schema.KeepForever}}, nil
}
func (nobody) Device(schema.DeviceID) (Device, bool) { return Device{}, false }
func (nobody) Tag(schema.OrganisationID, schema.Transmitter) (schema.TagID, bool) {
	return schema.TagID{}, false
}
func (nobody) StoredSeqs(context.Context, schema.Source, string, schema.EventTime) ([]wire.SeqRange, error) {
	return nil, nil
}
func (nobody) Frame(schema.FrameAdmitted)                         {}
func (nobody) DeviceConnected(schema.Source, time.Time)           {}
func (nobody) DeviceDisconnected(schema.DeviceID, time.Time)      {}
func (nobody) Add(f schema.FrameAdmitted, done func(error)) error { go done(nil); return nil }
func (nobody) Stalled() error                                     { return nil }

// ranges is what the sets of a device hold together, 16 bytes each.
func (d *device) ranges() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.boots {
		n += b.onWay.Len() + b.admitted.Len() + b.stored.Len() + b.acked.Len() + b.fresh.Len() + b.spent.Len()
	}
	return n
}

// A device that leaves a hole after every frame, in many starts at once, and is
// never told its acks, cannot make the server remember more than 400 KiB.
func TestHostileNumberingIsBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Directory, cfg.Stored, cfg.Actors, cfg.Journal = nobody{}, nobody{}, nobody{}, nobody{}
	in, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	s, err := in.Open(t.Context(), "token")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Attach()
	sentAt := schema.EventTimeOf(time.Now())
	for seq := uint64(1); seq < 6000; seq += 2 {
		for boot := range maxBoots {
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Offer(wire.Message{Frames: []schema.Frame{{BootID: fmt.Sprint("b", boot), Seq: seq, SentAt: sentAt}}})
		}
	}
	if n := s.dev.ranges(); n*16 > 400<<10 {
		t.Errorf("%d ranges are held, %d KiB", n, n*16>>10)
	}
}
