package device

import (
	"maps"

	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// State is one device. See [New].
type State struct {
	cfg    *Config
	id     schema.DeviceID
	source schema.Source // of the newest frame or connection

	boots     []*boot // newest use last
	delivered schema.EventTime
	told      schema.EventTime // delivered, when progress was last told
	recent    map[schema.TagID]recent
	stamp     uint64 // number of the current frame, to know who is in it

	word *plan.Delivered

	health health
	index  map[schema.TagID]int32 // scratch of one frame
	widest int                    // most tags of a frame since index and recent were made
	counts []int32                // scratch: observations per group
}

type recent struct {
	heard schema.EventTime
	stamp uint64
}

// New returns the state of a device of which nothing is known.
func New(cfg *Config, id schema.DeviceID) *State {
	return &State{
		cfg: cfg, id: id,
		recent: make(map[schema.TagID]recent),
		index:  make(map[schema.TagID]int32),
	}
}

// Delivery is a message for one tag.
type Delivery struct {
	Tag schema.TagID
	Msg any
}

// Frame takes a frame in and appends the messages it causes to out, which it
// returns. A frame that is not fresh causes none.
func (s *State) Frame(f *schema.FrameAdmitted, out []Delivery) ([]Delivery, Verdict) {
	s.word = nil
	s.setSource(f.Source)
	s.health.frame(f)
	b := s.boot(f.BootID, f.Seq)
	if v := b.admit(f.Seq); v != Fresh {
		return out, v
	}
	s.delivered = b.deliver(step{f.Seq, through(f)}, s.delivered, s.cfg.Hold)
	if f.Organisation.IsZero() || f.Plan.IsZero() {
		return out, Fresh
	}
	s.stamp++
	s.word = &plan.Delivered{Source: f.Source, Through: s.delivered}
	out = s.group(f, out)
	return s.progress(out), Fresh
}

// Word returns what the plan is to be told of the last frame, after the tags were
// told, or nil.
func (s *State) Word() *plan.Delivered { return s.word }

// setSource notes where the device stands now. The tags of an organisation that
// it no longer serves are none of its business.
func (s *State) setSource(src schema.Source) {
	if src.Organisation != s.source.Organisation {
		clear(s.recent)
	}
	s.source = src
}

// through is up to when a frame tells what was heard.
func through(f *schema.FrameAdmitted) schema.EventTime {
	t := f.SentAt
	for i := range f.Observations {
		t = max(t, f.Observations[i].At)
	}
	return t
}

// boot returns the start that the frame belongs to, and forgets the one that was
// silent longest when there are too many.
func (s *State) boot(id string, seq uint64) *boot {
	for i, b := range s.boots {
		if b.id == id {
			copy(s.boots[i:], s.boots[i+1:])
			s.boots[len(s.boots)-1] = b
			return b
		}
	}
	if len(s.boots) == maxBoots {
		copy(s.boots, s.boots[1:])
		s.boots = s.boots[:maxBoots-1]
	}
	b := newBoot(id, seq)
	s.boots = append(s.boots, b)
	return b
}

// group sorts the frame's observations by tag and makes one message per tag.
// Four allocations serve the whole frame, whatever the number of tags.
func (s *State) group(f *schema.FrameAdmitted, out []Delivery) []Delivery {
	total := s.count(f)
	if total == 0 {
		return out
	}
	head := &tag.Frame{Source: f.Source, Delivered: s.delivered, ArrivedAt: f.ArrivedAt}
	samples := make([]tag.Sample, total)
	heard := make([]tag.Heard, len(s.counts))
	s.word.Tags = make([]schema.TagID, len(s.counts))
	start := int32(0)
	for g, n := range s.counts {
		heard[g] = tag.Heard{Frame: head, Samples: samples[start : start : start+n]}
		start += n
	}
	for i := range f.Observations {
		if o := &f.Observations[i]; live(o) {
			h := &heard[s.index[o.Tag]]
			h.Samples = append(h.Samples, tag.Sample{At: o.At, RSSI: o.RSSI})
			s.word.Heard = max(s.word.Heard, o.At)
			s.remember(o.Tag, o.At)
		}
	}
	first := len(out)
	out = append(out, make([]Delivery, len(heard))...)
	for id, g := range s.index {
		out[first+int(g)] = Delivery{id, &heard[g]}
		s.word.Tags[g] = id
	}
	return out
}

// live reports whether an observation may move a tag.
func live(o *schema.Heard) bool { return !o.Tag.IsZero() && !o.Late }

// count numbers the tags of the frame and counts their observations.
func (s *State) count(f *schema.FrameAdmitted) (total int) {
	s.widest = max(s.widest, len(s.index))
	clear(s.index)
	s.counts = s.counts[:0]
	for i := range f.Observations {
		o := &f.Observations[i]
		if !live(o) {
			continue
		}
		g, known := s.index[o.Tag]
		if !known {
			g = int32(len(s.counts))
			s.index[o.Tag] = g
			s.counts = append(s.counts, 0)
		}
		s.counts[g]++
		total++
	}
	return total
}

func (s *State) remember(id schema.TagID, at schema.EventTime) {
	r, known := s.recent[id]
	if !known && len(s.recent) >= s.cfg.MaxTags {
		return
	}
	s.recent[id] = recent{max(r.heard, at), s.stamp}
}

// slim gives back what a crowd took when it has gone: maps never shrink.
func (s *State) slim() {
	const crowd = 64
	if s.widest > crowd && len(s.recent) < s.widest/8 {
		left := make(map[schema.TagID]recent, len(s.recent))
		maps.Copy(left, s.recent) // a clone would be as wide as before
		s.index, s.recent, s.widest = make(map[schema.TagID]int32), left, 0
	}
}

// progress tells the tags that were heard lately, but not in this frame, how far
// the device has delivered: once per event second, and a last time when the tag's
// silence has become long enough to be an absence.
func (s *State) progress(out []Delivery) []Delivery {
	if s.delivered.Second() <= s.told {
		return out
	}
	s.told = s.delivered.Second()
	var msg *tag.Progress
	for id, r := range s.recent {
		if r.stamp == s.stamp {
			continue
		}
		if msg == nil {
			msg = &tag.Progress{Device: s.id, Delivered: s.delivered}
		}
		out = append(out, Delivery{id, msg})
		if s.delivered.Sub(r.heard) > s.cfg.Remember {
			delete(s.recent, id)
		}
	}
	s.slim()
	return out
}

// Organisation returns whose device it is.
func (s *State) Organisation() schema.OrganisationID { return s.source.Organisation }
