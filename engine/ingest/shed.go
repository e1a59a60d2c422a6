package ingest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// ErrSendAgain ends a stream on which frames were shed, when storage takes frames
// again: the device connects anew and sends all that is not acknowledged.
var ErrSendAgain = errors.New("storage takes frames again: send what is not acknowledged")

const (
	// shedLook is how often storage is asked how it is.
	shedLook = 250 * time.Millisecond
	// shedAfter is for how long nothing must be stored before frames are shed: one
	// failed insert is no reason.
	shedAfter = time.Second
	// minCalm is for how long storage must take frames again before devices send
	// theirs again. It doubles up to maxCalm each time that was too soon.
	minCalm = 2 * time.Second
	maxCalm = time.Minute
	// againPerLook is how many devices are told in one look to send again: 200 a
	// second, so that their backlogs do not come all at once. The others go on.
	againPerLook = 50
)

// shedCredit is what a device may have on its way while frames are shed: they
// cost the server nothing. The values fit a signed 32-bit number.
const shedCredit = 1 << 30

// relief is the valve that opens when storage takes nothing: frames then go to
// the actors only.
type relief struct {
	open atomic.Bool // changes under mu

	mu     sync.Mutex
	cause  error         // why it is open
	since  time.Time     // it is as it is; zero: it was never open
	turned chan struct{} // closed at the next change of open

	owed atomic.Bool // some stream may have to send again

	// Of the watcher alone.
	bad, good time.Time // since when storage is so without a break; zero: it is not
	calm      time.Duration
}

func newRelief() *relief { return &relief{turned: make(chan struct{}), calm: minCalm} }

// change returns what is closed when the valve turns. Who asks for it before open
// misses nothing.
func (r *relief) change() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.turned
}

// why returns since when frames are shed and why, nil when they are not.
func (r *relief) why() (since time.Time, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.since, r.cause
}

// turn opens the valve for a cause, or shuts it, and returns for how long it was
// as it was before.
func (r *relief) turn(cause error, now time.Time) (lasted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lasted = now.Sub(r.since); r.since.IsZero() {
		lasted = maxCalm
	}
	r.cause, r.since = cause, now
	r.open.Store(cause != nil)
	close(r.turned)
	r.turned = make(chan struct{})
	return lasted
}

// judge takes in how storage is and returns whether the valve is to be open.
func (r *relief) judge(stalled error, open bool, now time.Time) bool {
	if stalled != nil {
		r.good = time.Time{}
		if r.bad.IsZero() {
			r.bad = now
		}
		return open || now.Sub(r.bad) >= shedAfter
	}
	r.bad = time.Time{}
	if r.good.IsZero() {
		r.good = now
	}
	return open && now.Sub(r.good) < r.calm
}

// watchStorage sheds frames while storage takes none, until the ingest stops.
func (in *Ingest) watchStorage() {
	tick := time.NewTicker(shedLook)
	defer tick.Stop()
	for {
		select {
		case <-in.ctx.Done():
			return
		case <-tick.C:
			in.lookAtStorage(time.Now())
		}
	}
}

func (in *Ingest) lookAtStorage(now time.Time) {
	r := in.relief
	stalled := in.cfg.Journal.Stalled()
	was := r.open.Load()
	open := r.judge(stalled, was, now)
	switch {
	case open && !was:
		if rested := r.turn(stalled, now); rested < maxCalm {
			r.calm = min(2*r.calm, maxCalm)
		} else {
			r.calm = minCalm
		}
		in.cfg.Metrics.shedding(true)
		in.cfg.Log.Error("storage takes nothing: frames go to the live maps only and are not acknowledged", "error", stalled)
	case was && !open:
		lasted := r.turn(nil, now)
		in.cfg.Metrics.shedding(false)
		in.cfg.Log.Info("storage takes frames again: devices send what was not acknowledged", "after", lasted.Round(time.Second))
	case !open:
		in.askAgain()
	}
}

// askAgain ends some of the streams on which frames were shed.
func (in *Ingest) askAgain() {
	if !in.relief.owed.Swap(false) {
		return
	}
	left := againPerLook
	for _, s := range in.streams() {
		if !s.shed.Load() {
			continue
		}
		if left--; left < 0 {
			in.relief.owed.Store(true)
			return
		}
		s.end(ErrSendAgain)
	}
}

// shed gives a frame to the actors and lets it go. What the live tags have used
// is no news when it comes again, except where they called some of it late.
func (o *offer) shed(b *boot, f schema.FrameAdmitted, late bool) {
	o.in.cfg.Metrics.shed()
	if !o.request {
		o.Session.shed.Store(true)
		o.in.relief.owed.Store(true)
	}
	if !late {
		if b.spent.Len() == 0 {
			b.lost = o.in.cfg.DerivedLost()
		}
		note(&b.spent, wire.SeqRange{From: f.Seq, To: f.Seq})
	}
	o.dev.live(f)
}

// known reports whether the live tags have used the frame when it was shed, and
// what they made of it is not lost.
func (o *offer) known(b *boot, seq uint64) bool {
	return b.spent.Contains(seq) && o.in.cfg.DerivedLost() == b.lost
}

// Shedding reports whether storage takes nothing at present: what is offered goes
// to the live maps, is not acknowledged, and must be sent again.
func (s *Session) Shedding() bool { return s.in.relief.open.Load() }

// Acked reports whether each of the frames is acknowledged.
func (s *Session) Acked(frames []FrameID) bool {
	d := s.dev
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range frames {
		b, known := d.boots[f.BootID]
		if !known || !b.acked.Contains(f.Seq) {
			return false
		}
	}
	return true
}

// CreditTurned returns what is closed when Credit may have changed. Ask for it
// before Credit.
func (s *Session) CreditTurned() <-chan struct{} { return s.in.relief.change() }
