package live

import (
	"sync"
	"time"

	"mybeacon/schema"
)

// room is the state of one location. Its entries form a list ordered by seq,
// the oldest change first, so that "what came after n" is the list's tail.
type room struct {
	names  Names
	secret []byte // of the hub for this location; makes what nameless watchers know tags by

	mu      sync.Mutex // guards all below; taken after the hub's
	tags    map[schema.TagID]*entry
	zones   map[schema.ZoneID]*entry
	oldest  *entry
	newest  *entry
	seq     uint64        // of the newest change
	floor   uint64        // newest removal that was forgotten: cursors below it cannot resume
	changed chan struct{} // closed at the next change; nil while nobody waits

	masks    int // how many numbers were given to tags
	watchers int // guarded by the hub's mu
}

// entry is one tag or zone.
type entry struct {
	older, newer *entry
	seq          uint64
	changed      time.Time // wall clock of the last change
	touched      time.Time // the same, of the last one that came from the engine
	isZone, gone bool
	tag          schema.TagMoved
	zone         schema.Occupancy
	name, kind   string // as encoded
	text         []byte // encoded form; empty when it must be made anew
	mask         *mask  // of a tag that a nameless watcher was told of
}

func newRoom(names Names, secret []byte, start uint64) *room {
	return &room{names: names, secret: secret, seq: start, floor: start, tags: map[schema.TagID]*entry{}, zones: map[schema.ZoneID]*entry{}}
}

// move records the tag's state and reports whether the entry is new.
func (r *room) move(m schema.TagMoved, now time.Time) (fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.tags[m.Tag]
	if fresh = e == nil; fresh {
		e = &entry{}
		r.tags[m.Tag] = e
	} else if m.Rev < e.tag.Rev && !e.gone {
		return false // overtaken by a newer state of the same tag
	}
	e.tag, e.touched, e.gone = m, now, false
	r.touch(e, now)
	return fresh
}

func (r *room) occupy(o schema.Occupancy, now time.Time) (fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.zones[o.Zone]
	if fresh = e == nil; fresh {
		e = &entry{isZone: true}
		r.zones[o.Zone] = e
	}
	e.zone, e.touched, e.gone = o, now, false
	r.touch(e, now)
	return fresh
}

// leave marks the tag as gone from here.
func (r *room) leave(tag schema.TagID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.tags[tag]; e != nil && !e.gone {
		r.dismiss(e, now)
	}
}

func (r *room) dismiss(e *entry, now time.Time) {
	e.gone, e.touched = true, now
	r.touch(e, now)
}

// touch gives the entry the next number, moves it to the list's end and wakes
// who waits.
func (r *room) touch(e *entry, now time.Time) {
	if e != r.newest {
		r.unlink(e)
		e.older, e.newer = r.newest, nil
		if r.newest != nil {
			r.newest.newer = e
		} else {
			r.oldest = e
		}
		r.newest = e
	}
	r.seq++
	e.seq, e.text, e.changed = r.seq, e.text[:0], now
	if e.mask != nil {
		e.mask.text = e.mask.text[:0]
	}
	r.wake()
}

func (r *room) unlink(e *entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else if r.oldest == e {
		r.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else if r.newest == e {
		r.newest = e.older
	}
	e.older, e.newer = nil, nil
}

func (r *room) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// wait returns a channel that is closed at the next change; the caller holds mu.
func (r *room) wait() <-chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// newestSeq returns the number of the newest change.
func (r *room) newestSeq() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq
}

// after returns the oldest entry whose number is above seq, or nil.
func (r *room) after(seq uint64) *entry {
	if seq == 0 {
		return r.oldest
	}
	var found *entry
	for e := r.newest; e != nil && e.seq > seq; e = e.older {
		found = e
	}
	return found
}

// encoded returns the entry's JSON, made at most once per change.
func (r *room) encoded(e *entry) []byte {
	if len(e.text) > 0 {
		return e.text
	}
	if e.isZone {
		e.name, _ = r.names.ZoneName(e.zone.Zone)
		z := Zone{ID: e.zone.Zone, Name: e.name, Plan: e.zone.Plan, Occupancy: e.zone.Tags}
		if e.gone {
			z.State, z.Occupancy = StateGone, 0
		}
		e.text = appendZone(e.text, &z)
		return e.text
	}
	info, _ := r.names.TagInfo(e.tag.Tag)
	e.name, e.kind = info.Name, info.Type
	e.text = appendTag(e.text, e.shown(e.tag.Tag, info.Name, info.Type))
	return e.text
}

// shown is the tag's state under a name.
func (e *entry) shown(id schema.TagID, name, kind string) *Tag {
	m := &e.tag
	return &Tag{
		ID: id, Name: name, Type: kind, Plan: m.Plan, X: m.X, Y: m.Y, AccuracyM: m.AccuracyM,
		Zone: m.Zone, RSSI: m.RSSI.DBm(), Receiver: m.Receiver, At: m.At, State: e.state(),
	}
}

func (e *entry) state() string {
	switch {
	case e.gone:
		return StateGone
	case e.tag.Presence == schema.Absent:
		return StateAbsent
	default:
		return StatePresent
	}
}

// sweep dismisses what should not be shown any longer, announces new names and
// forgets what everybody has been told of. It returns how many entries were
// forgotten and which of them were tags.
func (r *room) sweep(now time.Time) (forgotten int, tags []schema.TagID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Dismissing moves an entry behind the last one of before, where it must
	// not be visited again.
	last := r.newest
	for e := r.oldest; e != nil; {
		next, end := e.newer, e == last
		switch {
		case e.gone && now.Sub(e.touched) >= goneAfterwards:
			r.forget(e)
			if forgotten++; !e.isZone {
				tags = append(tags, e.tag.Tag)
			}
		case !e.gone && r.outlived(e, now):
			r.dismiss(e, now)
		case !e.gone && r.renamed(e):
			r.touch(e, now)
		}
		if end {
			break
		}
		e = next
	}
	return forgotten, tags
}

func (r *room) forget(e *entry) {
	r.floor = max(r.floor, e.seq)
	r.unlink(e)
	if e.isZone {
		delete(r.zones, e.zone.Zone)
	} else {
		delete(r.tags, e.tag.Tag)
	}
}

func (r *room) outlived(e *entry, now time.Time) bool {
	if e.isZone {
		_, known := r.names.ZoneName(e.zone.Zone)
		return !known
	}
	_, known := r.names.TagInfo(e.tag.Tag)
	return !known || e.tag.Presence == schema.Absent && now.Sub(e.touched) >= absentFor
}

func (r *room) renamed(e *entry) bool {
	if len(e.text) == 0 {
		return false // will be encoded with the present name
	}
	if e.isZone {
		name, _ := r.names.ZoneName(e.zone.Zone)
		return name != e.name
	}
	info, _ := r.names.TagInfo(e.tag.Tag)
	return info.Name != e.name || info.Type != e.kind
}

// empty reports whether nothing is known here.
func (r *room) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tags) == 0 && len(r.zones) == 0
}

func (r *room) knows(tag schema.TagID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tags[tag] != nil
}

func (r *room) knowsZone(zone schema.ZoneID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.zones[zone] != nil
}
