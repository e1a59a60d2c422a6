package device

import (
	"mybeacon/actors/plan"
	"mybeacon/schema"
)

// Restore tells a device what it did before the engine stopped, so that the tags
// it heard then learn from it that they are gone.
type Restore struct {
	Source    schema.Source
	Delivered schema.EventTime // up to when it had delivered, at least
	Heard     []Hearing        // the tags it heard last, and when
	Waiting   []schema.TagID   // of these, who waits for the tide
}

// Hearing is when a tag was heard last.
type Hearing struct {
	Tag schema.TagID
	At  schema.EventTime
}

// Restore takes up what is known, unless the device has spoken already, and returns
// what the plan is to be told.
func (s *State) Restore(r *Restore) *plan.Delivered {
	if s.source.Organisation.IsZero() {
		s.setSource(r.Source)
	}
	s.delivered = max(s.delivered, r.Delivered)
	word := &plan.Delivered{Source: r.Source, Through: s.delivered, Tags: r.Waiting}
	for _, h := range r.Heard {
		s.remember(h.Tag, h.At)
		word.Heard = max(word.Heard, h.At)
	}
	return word
}
