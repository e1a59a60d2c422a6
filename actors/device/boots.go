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
	id      string
	high    uint64 // highest number seen
	seen    [seenWindow / 64]uint64
	next    uint64                  // the number that is waited for
	held    []*schema.FrameAdmitted // frames beyond it, by number
	through schema.EventTime        // up to when the frames before next tell
	used    uint64                  // number among the device's frames of the newest
}

// firstNumbers is how many frames may overtake the first one of a start. A start
// that is seen later is one from before the engine's own: nobody has what came
// before.
const firstNumbers = 16

// newBoot returns a start of which f is the first frame seen; goesOn says that the
// device is known from before the engine's own.
func newBoot(f *schema.FrameAdmitted, hold time.Duration, goesOn bool) *boot {
	b := &boot{id: f.BootID, high: f.Seq, next: f.Seq, through: through(f).Add(-hold)}
	if f.Seq <= firstNumbers && !goesOn {
		b.next = 1
	}
	return b
}

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

// release takes in a fresh frame and appends to out the frames that are in turn, in
// the order of their numbers. A frame behind a gap is in turn when the gap is filled,
// or when a frame came that is newer by hold: what was to fill the gap is older than
// the first one behind it, and is lost. inTurn is false for a frame
// that comes after it was given up.
func (b *boot) release(f *schema.FrameAdmitted, hold time.Duration, out []*schema.FrameAdmitted) (_ []*schema.FrameAdmitted, inTurn bool) {
	if f.Seq < b.next {
		return append(out, f), false
	}
	if f.Seq == b.next && len(b.held) == 0 { // almost always
		b.next++
		return append(out, f), true
	}
	at, _ := slices.BinarySearchFunc(b.held, f, func(x, y *schema.FrameAdmitted) int { return cmp.Compare(x.Seq, y.Seq) })
	b.held = slices.Insert(b.held, at, f)
	for len(b.held) > 0 && (b.held[0].Seq == b.next || b.overdue(hold)) {
		b.next = b.held[0].Seq
		n := 0
		for n < len(b.held) && b.held[n].Seq == b.next {
			b.next++
			n++
		}
		out = append(out, b.held[:n]...)
		b.held = slices.Delete(b.held, 0, n)
	}
	return out, true
}

// overdue reports whether the first gap is given up.
func (b *boot) overdue(hold time.Duration) bool {
	last := len(b.held) - 1
	return last+1 >= maxHeld || through(b.held[last]).Sub(through(b.held[0])) >= hold
}
