package live

import (
	"context"
	"time"

	"mybeacon/schema"
)

const (
	// MaxMessage is the size in bytes at which a message is cut; one entry more
	// may still be in it.
	MaxMessage = 256 << 10
	// MinRate is the shortest time between two messages to a watcher.
	MinRate = 50 * time.Millisecond
	// MaxRate is the longest that may be asked for.
	MaxRate = 10 * time.Second
	// DefaultRate is for a watcher that asks for none: what takes longest on the way
	// from a scanner to a map must not be the map's waiting.
	DefaultRate = 100 * time.Millisecond

	// signOfLife is the longest silence of a subscription.
	signOfLife = 10 * time.Second
	// lull is how long nothing must change for a watcher that was woken to be told:
	// the tags of a second are placed together, in a burst, and the last of them
	// would else wait for the rate. It waits for half its rate at most.
	lull = 10 * time.Millisecond
)

// Cursor is how far a watcher has seen: epoch and seq of its last message.
type Cursor struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Options of a subscription.
type Options struct {
	// Rate is the shortest time between two messages, MinRate to MaxRate; zero
	// is DefaultRate.
	Rate time.Duration
	// Since, if set, asks for what came after it instead of a snapshot.
	Since *Cursor
	// Nameless hides who the tags are: they are numbered, and their ids are such that
	// nobody outside of the hub knows.
	Nameless bool
}

// Subscription is one watcher of one location.
type Subscription struct {
	hub  *Hub
	room *room
	rate time.Duration

	nameless bool // see [Options]

	seen  uint64    // number up to which the watcher knows everything
	whole bool      // the next message is a snapshot
	gap   bool      // a gap must be announced first
	due   time.Time // when the rate allows the next message
	fresh bool      // nothing was sent yet: the next message is sent even if empty
	since time.Time // of the oldest change in the last message
	more  bool      // the last message was not the whole of it
}

// Subscribe begins to watch a location, which may be one of which nothing is
// known yet. Whoever calls it has checked the rights. Close ends it.
func (h *Hub) Subscribe(location schema.LocationID, o Options) (*Subscription, error) {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Rate < MinRate || o.Rate > MaxRate {
		return nil, schema.Errorf(schema.Invalid, "rate_ms", "must be %d to %d", MinRate.Milliseconds(), MaxRate.Milliseconds())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	r := h.room(location)
	r.watchers++
	s := &Subscription{hub: h, room: r, rate: o.Rate, whole: true, fresh: true, nameless: o.Nameless}
	if o.Since != nil {
		s.resume(*o.Since)
	}
	return s, nil
}

func (s *Subscription) resume(since Cursor) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if since.Epoch == s.hub.epoch && since.Seq >= s.room.floor && since.Seq <= s.room.seq {
		s.seen, s.whole = since.Seq, false
		return
	}
	s.gap = true
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.room.watchers--
}

// Next waits until there is something to say and the rate allows it, and
// returns the message written over buf. The error is the context's or
// [ErrClosed].
func (s *Subscription) Next(ctx context.Context, buf []byte) ([]byte, error) {
	if err := s.wait(ctx, nil, time.Until(s.due)); err != nil {
		return buf, err
	}
	alive := time.Now().Add(signOfLife)
	for {
		message, changed := s.collect(buf[:0], time.Now().Before(alive))
		if changed == nil {
			return message, nil
		}
		if err := s.wait(ctx, changed, time.Until(alive)); err != nil {
			return buf, err
		}
		if err := s.gather(ctx); err != nil {
			return buf, err
		}
	}
}

// gather lets a burst of changes pass.
func (s *Subscription) gather(ctx context.Context) error {
	end, seq := time.Now().Add(s.rate/2), s.room.newestSeq()
	for {
		left := time.Until(end)
		if err := s.wait(ctx, nil, min(lull, left)); err != nil {
			return err
		}
		now := s.room.newestSeq()
		if now == seq || left <= lull {
			return nil
		}
		seq = now
	}
}

// Changed returns the wall clock of the oldest change that the last message tells
// of, or zero when it was a snapshot or told of none: what is sent now was news
// then. Of several changes of one tag the last one counts.
func (s *Subscription) Changed() time.Time { return s.since }

// More reports whether there was more to say than the last message held: then the
// next one follows at once.
func (s *Subscription) More() bool { return s.more }

// wait returns nil when the channel is closed or the time is over.
func (s *Subscription) wait(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.hub.done:
		return ErrClosed
	default:
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.hub.done:
		return ErrClosed
	case <-changed:
	case <-timer.C:
	}
	return nil
}

// collect writes the next message, or, when there is none and it may stay
// silent, returns the channel that tells of the next change.
func (s *Subscription) collect(buf []byte, maySilent bool) ([]byte, <-chan struct{}) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !s.whole && s.seen < r.floor {
		s.whole, s.gap = true, true // it slept longer than removals are remembered
	}
	s.since = time.Time{}
	if s.gap {
		s.gap, s.more = false, true
		buf = appendHead(buf, TypeGap, s.hub.epoch, r.seq, now)
		return append(buf, `,"tags":[],"zones":[]}`...), nil
	}
	if !s.whole && s.seen == r.seq && !s.fresh && maySilent {
		return buf, r.wait()
	}
	return s.write(buf, now), nil
}

// write encodes what came after s.seen, the oldest change first, up to
// MaxMessage bytes. It walks the changed entries twice, once per array.
func (s *Subscription) write(buf []byte, now time.Time) []byte {
	r, kind, from := s.room, TypeDelta, s.seen
	if s.whole {
		kind, from = TypeSnapshot, 0
	}
	first := r.after(from)
	last, to := r.cut(first, s.nameless)
	if first != nil && !s.whole {
		s.since = first.changed // the entries are in the order of their changes
	}
	buf = appendHead(buf, kind, s.hub.epoch, to, now)
	for _, part := range [...]struct {
		open  string
		zones bool
	}{{`,"tags":[`, false}, {`,"zones":[`, true}} {
		buf = append(buf, part.open...)
		empty := true
		for e := first; e != nil; e = e.newer {
			if e.isZone == part.zones && !(e.gone && s.whole) {
				if !empty {
					buf = append(buf, ',')
				}
				buf, empty = append(buf, r.told(e, s.nameless)...), false
			}
			if e == last {
				break
			}
		}
		buf = append(buf, ']')
	}
	s.seen, s.whole, s.fresh = to, false, false
	if s.more = to != r.seq; !s.more {
		s.due = now.Add(s.rate)
	} else {
		s.due = now // the rest of what was cut follows at once
	}
	return append(buf, '}')
}

// cut returns the last entry that still fits into a message that begins with
// first, and the number up to which that message tells everything.
func (r *room) cut(first *entry, nameless bool) (last *entry, seq uint64) {
	size := 0
	for e := first; e != nil; e = e.newer {
		if size += len(r.told(e, nameless)) + 1; size > MaxMessage-512 && e.newer != nil {
			return e, e.seq
		}
	}
	return r.newest, r.seq
}
