package actortest

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"mybeacon/schema"
)

// Recorder keeps everything that a system puts out. Its zero value is ready; it
// is safe for concurrent use.
type Recorder struct {
	mu        sync.Mutex // guards all below
	moved     []schema.TagMoved
	fixes     []schema.Fix
	visits    []schema.Visit
	occupancy []schema.Occupancy
	health    []schema.DeviceHealth
	offsets   []schema.Offsets
	trap      func(any)
}

// Trap makes f see everything before it is kept, on the actor's worker: a test panics
// there to make an actor fail.
func (r *Recorder) Trap(f func(any)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trap = f
}

// TagMoved implements [actors.Output].
func (r *Recorder) TagMoved(m schema.TagMoved) { keep(r, &r.moved, m) }

// Fix implements [actors.Output].
func (r *Recorder) Fix(f schema.Fix) { keep(r, &r.fixes, f) }

// Visit implements [actors.Output].
func (r *Recorder) Visit(v schema.Visit) { keep(r, &r.visits, v) }

// Occupancy implements [actors.Output].
func (r *Recorder) Occupancy(o schema.Occupancy) { keep(r, &r.occupancy, o) }

// DeviceHealth implements [actors.Health].
func (r *Recorder) DeviceHealth(h schema.DeviceHealth) { keep(r, &r.health, h) }

// Offsets implements [actors.Learned].
func (r *Recorder) Offsets(o schema.Offsets) { keep(r, &r.offsets, o) }

func keep[T any](r *Recorder, list *[]T, v T) {
	r.mu.Lock()
	trap := r.trap
	r.mu.Unlock()
	if trap != nil {
		trap(v)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, v)
}

func copied[T any](r *Recorder, list *[]T) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(*list)
}

// Moved returns what was put out live, in order of tag and event time and without
// Rev, which depends on the scheduler.
func (r *Recorder) Moved() []schema.TagMoved {
	out := copied(r, &r.moved)
	for i := range out {
		out[i].Rev = 0
	}
	slices.SortStableFunc(out, func(a, b schema.TagMoved) int {
		return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.At, b.At))
	})
	return out
}

func (r *Recorder) movedAsCame() []schema.TagMoved { return copied(r, &r.moved) }

// Fixes returns the fixes for storage, as they came.
func (r *Recorder) Fixes() []schema.Fix { return copied(r, &r.fixes) }

// Visits returns the visits as they came: open ones, and again when they closed.
func (r *Recorder) Visits() []schema.Visit { return copied(r, &r.visits) }

// Occupancies returns the occupancies as they came.
func (r *Recorder) Occupancies() []schema.Occupancy { return copied(r, &r.occupancy) }

// Health returns the health of devices as it came.
func (r *Recorder) Health() []schema.DeviceHealth { return copied(r, &r.health) }

// Learned returns the offsets as they came into force.
func (r *Recorder) Learned() []schema.Offsets { return copied(r, &r.offsets) }

// Stored returns what storage would keep of the fixes: of each tag and second the one
// with the highest Rev, in order of tag and second and without Rev.
func (r *Recorder) Stored() []schema.Fix {
	type row struct {
		tag schema.TagID
		at  schema.EventTime
	}
	newest := make(map[row]schema.Fix)
	for _, f := range r.Fixes() {
		if old, ok := newest[row{f.Tag, f.At}]; !ok || f.Rev > old.Rev {
			newest[row{f.Tag, f.At}] = f
		}
	}
	out := make([]schema.Fix, 0, len(newest))
	for _, f := range newest {
		f.Rev = 0
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b schema.Fix) int {
		return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.At, b.At))
	})
	return out
}

// Final returns what storage would keep of the visits: of each, the row with the
// highest Rev, in order of tag and entry and without Rev.
func (r *Recorder) Final() []schema.Visit {
	newest := make(map[schema.VisitID]schema.Visit)
	for _, v := range r.Visits() {
		if old, ok := newest[v.ID]; !ok || v.Rev > old.Rev {
			newest[v.ID] = v
		}
	}
	out := make([]schema.Visit, 0, len(newest))
	for _, v := range newest {
		v.Rev = 0
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b schema.Visit) int {
		return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.EnteredAt, b.EnteredAt), bytes.Compare(a.Zone[:], b.Zone[:]))
	})
	return out
}

// Layouts is a set of layouts that a test changes. Its zero value is ready; it is
// safe for concurrent use.
type Layouts struct {
	mu   sync.RWMutex // guards byID
	byID map[schema.PlanID]*schema.Layout
}

// Layout implements [actors.Layouts].
func (l *Layouts) Layout(id schema.PlanID) (*schema.Layout, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	v, ok := l.byID[id]
	return v, ok
}

// Put sets a layout, with a version higher than the one before. The caller no
// longer changes what v points to.
func (l *Layouts) Put(v schema.Layout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = make(map[schema.PlanID]*schema.Layout)
	}
	v.Version = 1
	if old := l.byID[v.Plan]; old != nil {
		v.Version = old.Version + 1
	}
	l.byID[v.Plan] = &v
}

// Remove takes a plan away.
func (l *Layouts) Remove(id schema.PlanID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID, id)
}
