package ingest

import (
	"context"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Waits between questions that failed.
const (
	minLoadPause = 250 * time.Millisecond
	maxLoadPause = 5 * time.Second
	loadTimeout  = 30 * time.Second
)

// loadSlack is how much older than the first frame a boot's other frames are
// looked for: frames come roughly in order, and one that is missed is stored
// once more under the same key.
const loadSlack = time.Hour

// load asks the warehouse, in the background, which frames of the boot it holds.
// first is the boot's first frame.
func (d *device) load(b *boot, first schema.FrameAdmitted) {
	since := first.SentAt
	for i := range first.Observations {
		since = min(since, first.Observations[i].At)
	}
	grace := time.AfterFunc(d.in.cfg.LiveGrace, func() { d.overdue(b) })
	d.in.work.Go(func() {
		defer grace.Stop()
		ranges, err := d.in.readStored(first.Source, first.BootID, since.Add(-loadSlack))
		d.finishLoad(b, ranges, err)
	})
}

// readStored asks until there is an answer or the ingest stops.
func (in *Ingest) readStored(src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error) {
	pause := minLoadPause
	for {
		ranges, err := in.readStoredOnce(src, bootID, since)
		if err == nil || in.ctx.Err() != nil {
			return ranges, err
		}
		in.cfg.Log.Warn("stored frames not read, trying again", "device", src.Device, "boot_id", bootID, "again_in", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-in.ctx.Done():
			return nil, in.ctx.Err()
		}
		pause = min(2*pause, maxLoadPause)
	}
}

func (in *Ingest) readStoredOnce(src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error) {
	select {
	case in.loads <- struct{}{}:
		defer func() { <-in.loads }()
	case <-in.ctx.Done():
		return nil, in.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(in.ctx, loadTimeout)
	defer cancel()
	return in.cfg.Stored.StoredSeqs(ctx, src, bootID, since)
}

// overdue lets the live map go on without the answer.
func (d *device) overdue(b *boot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !b.loading {
		return
	}
	b.overdue = true
	for i := range b.waiting {
		if w := &b.waiting[i]; !w.live {
			w.live = true
			d.live(w.FrameAdmitted)
		}
	}
}

// live gives a frame to the actors, unless the device is nobody's.
func (d *device) live(f schema.FrameAdmitted) {
	if !f.Organisation.IsZero() {
		d.in.cfg.Actors.Frame(f)
	}
}

// finishLoad lets the waiting frames go: those that are stored as acknowledged,
// the others on their way, in their order.
func (d *device) finishLoad(b *boot, stored []wire.SeqRange, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range stored {
		b.stored.Add(r)
	}
	b.stored.Trim(maxSeqRanges)
	list := b.waiting
	b.waiting, b.loading, b.overdue, b.loaded = nil, false, false, err == nil
	for i := range list {
		d.finishWaiting(b, &list[i], err)
	}
	d.broadcast()
}

func (d *device) finishWaiting(b *boot, w *waiting, err error) {
	switch {
	case err != nil:
		d.settle(b, &w.parcel, false)
	case b.stored.Contains(w.Seq) && w.oneDay:
		d.in.cfg.Metrics.frame(duplicate)
		d.settle(b, &w.parcel, true)
	case d.store(b, w.parcel) && !w.live:
		d.live(w.FrameAdmitted)
	}
}
