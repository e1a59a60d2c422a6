package device

import (
	"cmp"
	"slices"
	"time"

	"mybeacon/schema"
)

// maxBoots is how many starts of a device are followed at once: the running one
// and the ones whose spooled frames it still sends.
const maxBoots = 4

// seenWindow is how far back a repeated frame is recognised. Older ones count as
// repeated: what they hold is minutes old and moves nothing live.
const seenWindow = 1024

// maxHeld bounds the frames that wait behind a gap.
const maxHeld = 64

// Verdict says what to do with a frame.
type Verdict uint8

// The verdicts about a frame.
const (
	Fresh    Verdict = iota
	Repeated         // was here before
	Stale            // too old to tell whether it was
)

// boot follows the frame numbers of one start of a device.
type boot struct {
	id   string
	high uint64 // highest number seen
	seen [seenWindow / 64]uint64
	next uint64 // the number that progress waits for
	held []step // frames beyond it, by number
}

// step is a frame that was delivered, and up to when it tells.
type step struct {
	seq     uint64
	through schema.EventTime
}

func newBoot(id string, first uint64) *boot { return &boot{id: id, high: first, next: first} }

// admit marks a frame as seen.
func (b *boot) admit(seq uint64) Verdict {
	if seq > b.high {
		b.forget(b.high+1, seq)
		b.high = seq
	}
	if b.high-seq >= seenWindow {
		return Stale
	}
	word, bit := &b.seen[seq/64%(seenWindow/64)], uint64(1)<<(seq%64)
	if *word&bit != 0 {
		return Repeated
	}
	*word |= bit
	return Fresh
}

// forget clears the marks of numbers that come into the window.
func (b *boot) forget(from, to uint64) {
	if to-from >= seenWindow {
		b.seen = [seenWindow / 64]uint64{}
		return
	}
	for s := from; s <= to; s++ {
		b.seen[s/64%(seenWindow/64)] &^= 1 << (s % 64)
	}
}

// deliver notes that a fresh frame arrived and returns up to when everything
// did, at least from. A gap is given up when hold has passed in event time.
func (b *boot) deliver(f step, from schema.EventTime, hold time.Duration) schema.EventTime {
	switch {
	case f.seq < b.next:
		return from // belongs to a gap that was given up, or precedes the first frame seen
	case f.seq > b.next:
		at, _ := slices.BinarySearchFunc(b.held, f, func(x, y step) int { return cmp.Compare(x.seq, y.seq) })
		b.held = slices.Insert(b.held, at, f)
		if len(b.held) < maxHeld && b.held[len(b.held)-1].through.Sub(from) <= hold {
			return from
		}
		b.next = b.held[0].seq
	default:
		from = max(from, f.through)
		b.next++
	}
	return b.absorb(from)
}

// absorb moves on over the held frames that follow without a gap.
func (b *boot) absorb(from schema.EventTime) schema.EventTime {
	n := 0
	for n < len(b.held) && b.held[n].seq == b.next {
		from = max(from, b.held[n].through)
		b.next++
		n++
	}
	b.held = slices.Delete(b.held, 0, n)
	return from
}
