package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// ErrDisplaced ends a stream whose device opened a newer one: the older may be
// half-open, and the newer is surely alive.
var ErrDisplaced = errors.New("displaced by a newer connection of the device")

// overloaded ends a stream whose frames found no room.
func overloaded(err error) error {
	return &schema.Error{Kind: schema.Unavailable, Message: "storage has no room, connect again later", Err: err}
}

// Session is one connection or request of a device. Its methods are safe for
// concurrent use; frames are judged in the order of the calls of Offer.
type Session struct {
	in      *Ingest
	dev     *device
	token   string
	hash    [sha256.Size]byte // of the token
	request bool              // one POST
	shed    atomic.Bool       // frames of this stream were shed
	paid    atomic.Bool       // the next message's first frame has its place in the quota

	updates chan struct{}
	configs chan struct{}
	version atomic.Int64 // of the configuration that configs told of last
	done    chan struct{}
	close   sync.Once

	mu     sync.Mutex
	who    Device // as last authenticated
	tenant *tenant
	closed bool
	cause  error // why done is closed
}

func newSession(in *Ingest, dev *device, token string, who Device) *Session {
	return &Session{
		in: in, dev: dev, token: token, hash: sha256.Sum256([]byte(token)), who: who, tenant: in.tenants.hold(who.Organisation),
		updates: make(chan struct{}, 1), configs: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// noteConfig tells Configs when the version is another than before.
func (s *Session) noteConfig(version int64) {
	if s.version.Swap(version) == version {
		return
	}
	select {
	case s.configs <- struct{}{}:
	default:
	}
}

// Configs receives when the configuration of Device may be another one, also soon
// after the stream began.
func (s *Session) Configs() <-chan struct{} { return s.configs }

// tenantOf returns the organisation's tenant, which changes when the device is
// bound anew.
func (s *Session) tenantOf(org schema.OrganisationID) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenant.org != org && !s.closed {
		s.tenant.release()
		s.tenant = s.in.tenants.hold(org)
	}
	return s.tenant
}

// charge takes a message from the organisation's quota.
func (s *Session) charge(org schema.OrganisationID, msg wire.Message) {
	frames, observations := len(msg.Frames)+len(msg.Refused), 0
	for i := range msg.Frames {
		observations += len(msg.Frames[i].Observations)
	}
	if frames == 0 {
		return
	}
	s.in.lastFrame.Store(s.in.cfg.Now().UnixMilli())
	if s.paid.Swap(false) {
		frames--
	}
	s.tenantOf(org).charge(frames, observations)
}

// RateLimit returns what is left of the organisation's quota.
func (s *Session) RateLimit() RateLimit {
	return s.tenantOf(s.binding().Organisation).rate(time.Now())
}

// Attach makes the session the device's stream; an older one ends with
// [ErrDisplaced]. It is called once, when the connection has proved to work.
func (s *Session) Attach() { s.dev.attach(s) }

// Device returns who the session belongs to, as it is bound now.
func (s *Session) Device() Device { return s.binding() }

// binding prefers the directory's snapshot, which follows changes at once. A
// device that it does not have yet is what the token said.
func (s *Session) binding() Device {
	if who, known := s.in.cfg.Directory.Device(s.dev.id); known {
		return who
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}

// Credit returns what the device may have on its way: as good as everything while
// frames are shed, and until the device sends them again.
func (s *Session) Credit() Credit {
	if s.Shedding() || s.shed.Load() {
		return Credit{Frames: shedCredit, Bytes: shedCredit, Observations: s.in.cfg.Credit.Observations}
	}
	return s.in.cfg.Credit
}

// Received counts the bytes of a message.
func (s *Session) Received(bytes int) { s.in.cfg.Metrics.received(bytes) }

// Refused counts a message that was refused as a whole and returns the refusal
// for the device, if err is one.
func (s *Session) Refused(err error) (wire.Rejection, bool) {
	var e *wire.Error
	if !errors.As(err, &e) {
		return wire.Rejection{}, false
	}
	s.in.cfg.Metrics.refuse(e.Reason)
	return wire.Rejection{Index: wire.WholeFrame, Reason: e.Reason}, true
}

// notify tells that there are acks to take.
func (s *Session) notify() {
	select {
	case s.updates <- struct{}{}:
	default:
	}
}

// Updates receives when Acks may have something to tell.
func (s *Session) Updates() <-chan struct{} { return s.updates }

// Acks returns, once, the ranges that the device was not told yet: cumulative,
// at most [wire.MaxAckRanges] per boot. Call it until it returns none.
func (s *Session) Acks() []wire.BootRange { return s.dev.takeAcks() }

// end closes Done with the cause; the first one stays.
func (s *Session) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
		close(s.done)
	}
}

// Done is closed when the session must end; Cause says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Cause returns why Done is closed: [ErrDisplaced], [ErrSendAgain], or a
// [schema.Error] of kind Unauthorized when the token was taken back, Unavailable
// when the server stops or has no room.
func (s *Session) Cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Close ends the session. What it offered goes on being stored.
func (s *Session) Close() {
	s.close.Do(func() {
		s.end(context.Canceled)
		s.dev.detach(s)
		s.in.release(s.dev)
		s.leaveTenant()
	})
}

// leaveTenant gives back the place that was not used.
func (s *Session) leaveTenant() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.paid.Swap(false) {
		s.tenant.frames.give(1)
	}
	s.tenant.release()
}

// Ready waits until the device has credit, its organisation's quota a place and
// the server room, of which the quota alone counts while frames are shed. It
// returns the cause when the session must end. Call it before each message is
// read.
func (s *Session) Ready(ctx context.Context) error {
	if !s.request && !s.paid.Load() {
		s.paid.Store(s.tenantOf(s.binding().Organisation).pace(ctx, s.done))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for {
		if cause := s.Cause(); cause != nil {
			return cause
		}
		wait := s.blocked()
		if wait == nil {
			return nil
		}
		turned := s.in.relief.change()
		if s.Shedding() {
			return nil
		}
		select {
		case <-wait:
		case <-turned:
		case <-s.done:
			return s.Cause()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// blocked returns a channel to wait on, or nil when more may be read.
func (s *Session) blocked() <-chan struct{} {
	d := s.dev
	d.mu.Lock()
	credit := s.in.cfg.Credit
	if d.frames >= credit.Frames || d.flying >= credit.Observations {
		defer d.mu.Unlock()
		return d.changed
	}
	d.mu.Unlock()
	return s.tenantOf(s.binding().Organisation).shut()
}

// Drained waits until nothing of the device is on its way.
func (s *Session) Drained(ctx context.Context) error {
	d := s.dev
	for {
		d.mu.Lock()
		flying, changed := d.frames, d.changed
		d.mu.Unlock()
		if flying == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maxDropped bounds the frames of one drop: thirty years of a frame a second. A
// larger one is a fault, and would spoil the count of what was lost for ever.
const maxDropped = 1_000_000_000

// Drop takes the device's word that the frames will never come. The reason is
// counted when it is one of those that are known.
func (s *Session) Drop(r wire.BootRange, why string) wire.Reason {
	if !wire.ValidBootID(r.BootID) || r.From == 0 || r.To < r.From || r.To-r.From >= maxDropped {
		s.in.cfg.Metrics.refuse(wire.DroppedInvalid)
		return wire.DroppedInvalid
	}
	s.in.cfg.Metrics.drop(why, r.To-r.From+1)
	d := s.dev
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.boot(r.BootID); b != nil {
		d.ack(b, r.SeqRange)
		d.broadcast()
	}
	return 0
}

// AwaitAcks waits until each of the frames is acknowledged, or was let go for
// lack of room, or the context ends. It returns the acknowledged ranges that
// hold them, at most [wire.MaxAckRanges] per boot.
func (s *Session) AwaitAcks(ctx context.Context, frames []FrameID) []wire.BootRange {
	d := s.dev
	for {
		d.mu.Lock()
		ranges, waiting := d.acksOf(frames)
		changed := d.changed
		d.mu.Unlock()
		if !waiting {
			return ranges
		}
		select {
		case <-changed:
		case <-s.in.ctx.Done():
			return ranges
		case <-ctx.Done():
			return ranges
		}
	}
}

// FrameID names a frame of one device.
type FrameID struct {
	BootID string
	Seq    uint64
}

// acksOf returns the acknowledged ranges that hold the frames, and whether any
// of them is still on its way; the caller holds mu.
func (d *device) acksOf(frames []FrameID) (ranges []wire.BootRange, waiting bool) {
	perBoot := map[string]int{}
	told := map[wire.BootRange]bool{}
	for _, f := range frames {
		b, known := d.boots[f.BootID]
		if !known {
			continue
		}
		r, acked := b.acked.Containing(f.Seq)
		if !acked {
			waiting = waiting || b.onWay.Contains(f.Seq)
			continue
		}
		br := wire.BootRange{BootID: f.BootID, SeqRange: r}
		if !told[br] && perBoot[f.BootID] < wire.MaxAckRanges {
			told[br] = true
			perBoot[f.BootID]++
			ranges = append(ranges, br)
		}
	}
	return ranges, waiting
}
