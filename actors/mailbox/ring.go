package mailbox

// smallestRing is the first size of a ring: most actors have at most a frame's
// worth of messages waiting.
const smallestRing = 8

// keptRing is how large a ring may stay when it runs empty; a larger one was
// needed in an overload and is given back.
const keptRing = 64

type class uint8

const (
	removed class = iota // a hole: dropped or replaced, skipped when popped
	live
	keyed
	control
)

type slot struct {
	msg   any
	class class
}

// ring is a queue whose elements are named by their position since the ring was
// last renumbered, so that one in the middle can be taken out in constant time.
type ring struct {
	slots      []slot // length is a power of two or zero
	head, tail uint64 // positions; slots[p & (len-1)]
	holes      int
}

func (r *ring) at(pos uint64) *slot { return &r.slots[pos&uint64(len(r.slots)-1)] }

// push appends and returns the position. moved reports that earlier positions
// changed.
func (r *ring) push(s slot) (pos uint64, moved bool) {
	if int(r.tail-r.head) == len(r.slots) {
		r.renumber()
		moved = true
	}
	pos = r.tail
	*r.at(pos) = s
	r.tail++
	return pos, moved
}

// renumber makes room: it squeezes out the holes, and doubles the ring when
// they were less than half of it.
func (r *ring) renumber() {
	size := max(len(r.slots), smallestRing)
	if r.holes*2 < size && len(r.slots) > 0 {
		size *= 2
	}
	fresh := make([]slot, size)
	n := 0
	for p := r.head; p < r.tail; p++ {
		if s := r.at(p); s.class != removed {
			fresh[n] = *s
			n++
		}
	}
	r.slots, r.head, r.tail, r.holes = fresh, 0, uint64(n), 0
}

// remove turns a position into a hole.
func (r *ring) remove(pos uint64) {
	*r.at(pos) = slot{}
	r.holes++
}

// pop returns the oldest element that is no hole.
func (r *ring) pop() (slot, bool) {
	for r.head < r.tail {
		p := r.at(r.head)
		s := *p
		*p = slot{}
		r.head++
		if s.class != removed {
			r.shrink()
			return s, true
		}
		r.holes--
	}
	r.shrink()
	return slot{}, false
}

func (r *ring) shrink() {
	if r.head == r.tail && len(r.slots) > keptRing {
		*r = ring{}
	}
}

// oldest returns the first position of the class.
func (r *ring) oldest(c class) (uint64, bool) {
	for p := r.head; p < r.tail; p++ {
		if r.at(p).class == c {
			return p, true
		}
	}
	return 0, false
}

func (r *ring) len() int { return int(r.tail-r.head) - r.holes }
