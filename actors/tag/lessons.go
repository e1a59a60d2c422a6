package tag

import (
	"math"
	"sync"
	"time"

	"mybeacon/actors/mailbox"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Lessons are what one fix of a tag teaches about the receivers of its plan. Whoever
// gets them owns them, and gives them back with [Lessons.Recycle].
type Lessons struct {
	Tag    schema.TagID
	Plan   schema.PlanID
	Site   locate.Locator // whose receivers and parts are meant
	Second schema.EventTime
	Items  []locate.Lesson
}

// lessonsKind is the first of the mailbox keys of [Lessons], and lessonsWaiting how
// many there are.
const (
	lessonsKind    = 128
	lessonsWaiting = 64
)

// MailboxKey lets newer lessons of a tag replace those of a minute ago: they must not
// push out what moves tags, and are bounded by the number of tags.
func (l *Lessons) MailboxKey() mailbox.Key {
	return mailbox.Key{Kind: lessonsKind + uint8(l.Second/1000%lessonsWaiting), ID: l.Tag}
}

var lessonPool = sync.Pool{New: func() any { return new(Lessons) }}

// Recycle gives the memory of l back.
func (l *Lessons) Recycle() {
	*l = Lessons{Items: l.Items[:0]}
	lessonPool.Put(l)
}

// Correction is what was learned about the receivers of a plan, in force from a
// second on until the next. It and what it points to are immutable.
type Correction struct {
	From    schema.EventTime // a whole second
	Site    locate.Locator   // for which the offsets are; a plan with another has none
	Offsets *locate.Offsets
}

// correction returns what is in force on a plan for a second, or nil.
func (w *window) correction(p *Plan, second schema.EventTime) *locate.Offsets {
	for i := range w.tides {
		if w.tides[i].Plan != p.Layout.Plan {
			continue
		}
		all := w.tides[i].Corrections
		for at := len(all) - 1; at >= 0; at-- {
			if all[at].From <= second {
				if all[at].Site != p.locator {
					return nil
				}
				return all[at].Offsets
			}
		}
	}
	return nil
}

// A tag that has hardly moved has nothing new to teach: what was learned where it
// stands grows little by the hour, and would cost as much as the fixes.
const (
	teachMoveM = 2 // less than a part of the plan, for which the calibration keeps a mean
	teachEvery = 10 * time.Second
)

// lesson is where and when the tag taught last.
type lesson struct {
	at   schema.EventTime
	x, y float64
}

// teach sends on what the newest fix teaches.
func (s *State) teach(plan *Plan, f *schema.Fix, e *Effects) {
	last := &s.taught
	if f.At.Sub(last.at) < teachEvery && math.Hypot(f.X-last.x, f.Y-last.y) < teachMoveM {
		return
	}
	l := lessonPool.Get().(*Lessons)
	l.Items = s.track.Lessons(l.Items[:0])
	if len(l.Items) == 0 {
		l.Recycle()
		return
	}
	s.taught = lesson{f.At, f.X, f.Y}
	l.Tag, l.Plan, l.Site, l.Second = s.key.Tag, plan.Layout.Plan, plan.locator, f.At
	e.Lessons = append(e.Lessons, l)
}
