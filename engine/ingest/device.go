package ingest

import (
	"sync"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Bounds of what is remembered of one device: some 400 KiB at worst, when it
// leaves a hole after every frame. One that numbers its frames as it should
// costs a range or two.
const (
	maxBoots = 16 // starts of the scanner whose frames are told apart
	// maxSeqRanges bounds each set of the boot that is in use. A message of 1,000
	// frames with a hole after each must fit, or a POST could not be answered.
	maxSeqRanges = 1024
	// oldSeqRanges bounds those of the other boots, which are mostly over.
	oldSeqRanges = 64
)

// device is the state of one device, over all its connections.
type device struct {
	in       *Ingest
	id       schema.DeviceID
	listener *listener

	holds     int       // sessions; guarded by Ingest.mu
	idleSince time.Time // guarded by Ingest.mu

	mu       sync.Mutex
	stream   *Session // the one that is told of acks
	requests int
	boots    map[string]*boot
	current  *boot  // the one used last
	uses     uint64 // clock of boot.used
	frames   int    // admitted and not settled
	flying   int    // observations of these
	changed  chan struct{}
	aside    *bucket // of rows for the quarantine; nil until the first
	noticed  time.Time
}

// boot is what is known of the frames of one start of the scanner.
type boot struct {
	onWay    wire.SeqSet // admitted and not settled; the credit bounds them
	admitted wire.SeqSet // on their way or stored: recognised as duplicates
	stored   wire.SeqSet // had rows in the warehouse when it was asked
	acked    wire.SeqSet // the device may forget them
	fresh    wire.SeqSet // acknowledged and not told yet
	spent    wire.SeqSet // shed: live tags have used them, storage lacks them
	lost     uint64      // derived rows that were lost when spent began
	used     uint64

	loading bool
	loaded  bool
	overdue bool // the live map waits no longer for the load
	waiting []waiting
}

// waiting is a frame whose boot is being loaded.
type waiting struct {
	parcel
	oneDay bool // its rows, as sent, fall on one day
	live   bool // the actors have it already
}

func newDevice(in *Ingest, id schema.DeviceID) *device {
	return &device{in: in, id: id, listener: in.lateness.listener(id), boots: map[string]*boot{}, changed: make(chan struct{})}
}

// attach makes the session the device's stream.
func (d *device) attach(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stream != nil {
		d.stream.end(ErrDisplaced)
	} else {
		d.in.cfg.Metrics.stream(1)
	}
	d.stream = s
	d.in.cfg.Actors.DeviceConnected(s.binding().Source, d.in.cfg.Now())
}

// detach forgets the session if it is still the device's stream.
func (d *device) detach(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.request {
		d.requests--
	}
	if d.stream != s {
		return
	}
	d.stream = nil
	d.in.cfg.Metrics.stream(-1)
	d.in.cfg.Actors.DeviceDisconnected(d.id, d.in.cfg.Now())
	for _, b := range d.boots {
		b.fresh = wire.SeqSet{} // nobody is there to be told
	}
}

func (d *device) beginRequest(limit int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.requests >= limit {
		return false
	}
	d.requests++
	return true
}

// end ends the stream.
func (d *device) end(cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stream != nil {
		d.stream.end(cause)
	}
	d.broadcast()
}

// idle reports whether nothing is on its way.
func (d *device) idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.frames == 0
}

// broadcast wakes who waits for acks or credit; the caller holds mu.
func (d *device) broadcast() {
	close(d.changed)
	d.changed = make(chan struct{})
	if d.stream != nil {
		d.stream.notify()
	}
}

// boot returns the boot's state, making room by forgetting the longest unused
// one. It returns nil when all of them have frames on their way. The caller
// holds mu.
func (d *device) boot(id string) *boot {
	d.uses++
	b, known := d.boots[id]
	if !known {
		if len(d.boots) >= maxBoots && !d.forgetBoot() {
			return nil
		}
		b = &boot{}
		d.boots[id] = b
	}
	b.used = d.uses
	if d.current != b {
		if d.current != nil {
			d.current.shrink()
		}
		d.current = b
	}
	return b
}

// shrink forgets most of a boot that is not in use any more. What was not told
// yet stays: nobody would tell it later.
func (b *boot) shrink() {
	b.admitted.Trim(oldSeqRanges)
	b.stored.Trim(oldSeqRanges)
	b.acked.Trim(oldSeqRanges)
	b.spent.Trim(oldSeqRanges)
}

// note adds the range to the set, which stays bounded.
func note(set *wire.SeqSet, r wire.SeqRange) {
	set.Add(r)
	set.TrimAround(maxSeqRanges, r.From)
}

func (d *device) forgetBoot() bool {
	oldest := ""
	for id, b := range d.boots {
		if b.onWay.Len() == 0 && !b.loading && (oldest == "" || b.used < d.boots[oldest].used) {
			oldest = id
		}
	}
	delete(d.boots, oldest)
	return oldest != ""
}

// ack lets the device forget the frames; the caller holds mu and broadcasts.
func (d *device) ack(b *boot, r wire.SeqRange) {
	note(&b.acked, r)
	if d.stream != nil {
		note(&b.fresh, r)
	}
}

// take admits a frame that was not seen before: it counts until settle.
func (d *device) take(b *boot, p *parcel) {
	one := wire.SeqRange{From: p.Seq, To: p.Seq}
	note(&b.admitted, one)
	b.onWay.Add(one)
	d.frames++
	d.flying += p.observations()
	p.parts(func(f *schema.FrameAdmitted) { d.in.tenants.add(f.Organisation, len(f.Observations)) })
}

// settle ends what take began: the frame is stored, or must be sent again. The
// caller holds mu and broadcasts.
func (d *device) settle(b *boot, p *parcel, stored bool) {
	b.onWay.Remove(p.Seq)
	d.frames--
	d.flying -= p.observations()
	p.parts(func(f *schema.FrameAdmitted) { d.in.tenants.add(f.Organisation, -len(f.Observations)) })
	if stored {
		d.ack(b, wire.SeqRange{From: p.Seq, To: p.Seq})
		return
	}
	b.admitted.Remove(p.Seq)
}

// store hands a taken frame to the journal. It reports whether there was room;
// when there was not, the frame is settled as unseen. The caller holds mu.
func (d *device) store(b *boot, p parcel) bool {
	err := d.in.journal(&p, func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err == nil {
			d.in.cfg.Metrics.acked(d.in.cfg.Now().Sub(p.ArrivedAt))
		}
		d.settle(b, &p, err == nil)
		d.broadcast()
	})
	if err == nil {
		return true
	}
	d.in.cfg.Metrics.frame(postponed)
	d.settle(b, &p, false)
	d.broadcast()
	if d.stream != nil {
		d.stream.end(overloaded(err))
	}
	return false
}

// takeAcks returns what the device was not told yet: for each boot up to
// [wire.MaxAckRanges] whole ranges. The rest stays for the next call.
func (d *device) takeAcks() []wire.BootRange {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []wire.BootRange
	for id, b := range d.boots {
		n := 0
		for b.fresh.Len() > 0 && n < wire.MaxAckRanges {
			first := b.fresh.Ranges()[0]
			whole, known := b.acked.Containing(first.From)
			if !known {
				whole = first // forgotten since, or its bytes changed: this much is true
			}
			out = append(out, wire.BootRange{BootID: id, SeqRange: whole})
			b.fresh.RemoveTo(max(first.To, whole.To))
			n++
		}
	}
	return out
}
