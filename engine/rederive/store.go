package rederive

import (
	"context"
	"time"

	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Late is what arrived late of one tag and has not been worked in.
type Late struct {
	tag.Key
	From, To schema.EventTime // of the observations
	Through  time.Time        // when the last of them arrived
	Rows     uint64
}

// Span is a stretch of event time, both ends included, in the life of some tags of
// one organisation, as far as it had arrived by a moment.
type Span struct {
	Organisation schema.OrganisationID
	Tags         []schema.TagID
	From, To     schema.EventTime
	Arrived      time.Time
}

// Heard is one observation of a tag.
type Heard struct {
	Tag    schema.TagID
	At     schema.EventTime
	RSSI   schema.CentiDBm
	Source *schema.Source // shared by all of the same
}

// Stint is how long a device is known to have listened without a break: between its
// first and last observation under one boot, of whatever transmitter.
type Stint struct {
	Source   schema.Source
	Boot     string
	From, To schema.EventTime
	FirstSeq uint64    // of the frame at From
	Arrived  time.Time // the newest of its observations
}

// Derived is what is stored of what tags did.
type Derived struct {
	Fixes  []schema.Fix // by tag and time
	Visits []schema.Visit
	Shown  map[schema.TagID]Shown
}

// Shown is the newest fix of a tag before a span, and from when on fixes have shown
// its zone without a break.
type Shown struct {
	Fix   schema.Fix
	Since schema.EventTime
}

// absence is after how long without a stored fix a tag that was listened for had
// surely been absent: a fix holds for 30 s, and a minute's silence makes it absent.
const absence = 90 * time.Second

// hold is for how long a stored fix holds at most, and a second.
const hold = 31 * time.Second

// next takes in the fix that follows.
func (s *Shown) next(f schema.Fix) {
	if old := &s.Fix; old.At.IsZero() || f.Zone != old.Zone || f.Plan != old.Plan || f.At.Sub(old.At) >= absence {
		s.Since = f.At
	}
	s.Fix = f
}

// Show takes in a fix before the span; those of a tag come in order of time.
func (d *Derived) Show(f schema.Fix) {
	s := d.Shown[f.Tag]
	s.next(f)
	d.Shown[f.Tag] = s
}

// Changes is what is to be written of the past; all rows have their rev.
type Changes struct {
	Fixes, GoneFixes   []schema.Fix
	Visits, GoneVisits []schema.Visit
	Done               []Done
}

// Done says that a stretch of a tag's past is worked in.
type Done struct {
	Late
	Until         schema.EventTime // up to where rows were compared
	At            time.Time
	Fixes, Visits int // rows changed
}

// Radio is what was heard, as stored.
type Radio interface {
	// Heard returns the tags' observations in order of time, at most limit.
	Heard(ctx context.Context, span Span, limit int) ([]Heard, error)
	// Stints returns when the devices listened that heard the tags in the span, also
	// an hour beyond it; without tags, when any device did.
	Stints(ctx context.Context, span Span) ([]Stint, error)
	// Corrections returns the offsets that were in force in the span, by plan and time.
	Corrections(ctx context.Context, span Span) ([]schema.Offsets, error)
}

// Owed is a stretch of arrivals whose observations were not derived live, as far as
// they are stored now or will be: what arrived after From and by Until.
type Owed struct{ From, Until time.Time }

// History is what was derived, as stored. Reading shows what was written before.
type History interface {
	// Late returns what arrived late or is owed, after since and by through, and is not
	// done; the tags whose late data are oldest first, at most limit.
	Late(ctx context.Context, since, through time.Time, limit int) ([]Late, error)
	// Derived returns the fixes in the span, the visits that overlap it, and what was
	// shown before it.
	Derived(ctx context.Context, span Span) (Derived, error)
	// Owe makes what arrived in a stretch count as late, for good.
	Owe(ctx context.Context, stretch Owed) error
	// Write stores rows, and Done after them.
	Write(ctx context.Context, changes Changes) error
}

// Store is both.
type Store interface {
	Radio
	History
}
