package device

import (
	"maps"
	"slices"
	"time"

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
	frames    uint64
	inTurn    []*schema.FrameAdmitted // scratch: what one frame releases
	before    schema.EventTime        // delivered, before the current frame; zero for one that comes after it was given up
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
// returns: those of the frame, or of it and others that waited for it, or none
// while it waits itself. A frame that is not fresh causes none.
func (s *State) Frame(f *schema.FrameAdmitted, out []Delivery) ([]Delivery, Verdict) {
	s.word = nil
	s.setSource(f.Source)
	s.health.frame(f)
	b := s.boot(f)
	if v := b.admit(f.Seq); v != Fresh {
		return out, v
	}
	var inTurn bool
	s.inTurn, inTurn = b.release(f, s.cfg.Hold, s.inTurn[:0])
	s.addressed(f)
	for _, released := range s.inTurn {
		if s.before = 0; inTurn {
			s.move(b, through(released))
		}
		if s.addressed(released) {
			s.stamp++
			out = s.progress(s.group(released, out))
		}
	}
	clear(s.inTurn)
	if len(s.boots) == 1 && s.delivered.IsZero() {
		s.delivered = b.through // it waits for the first frame of its first start
	}
	if s.word != nil {
		s.word.Through = s.delivered
	}
	return out, Fresh
}

// addressed reports whether the frame is of a receiver on a plan, and makes the word to
// the plan. A frame that waited for its turn while the device went to another plan, or
// to another organisation, is nobody's.
func (s *State) addressed(f *schema.FrameAdmitted) bool {
	if f.Organisation.IsZero() || f.Plan.IsZero() || f.Organisation != s.source.Organisation {
		return false
	}
	if s.word == nil {
		s.word = &plan.Delivered{Source: f.Source}
	}
	return s.word.Source.Plan == f.Plan
}

// move notes up to when a start of the device has delivered. Within one start time
// goes forward, unless the clock was set back: then what it said before is void.
// What counts is the newest word of the starts that still speak: one may be what is
// left of the spool, and another be over whose clock ran ahead.
func (s *State) move(b *boot, through schema.EventTime) {
	s.before = s.delivered
	b.through = through
	s.delivered = through
	for _, other := range s.boots {
		if s.frames-other.used < speaks {
			s.delivered = max(s.delivered, other.through)
		}
	}
	if s.delivered < s.before {
		s.told = min(s.told, s.delivered.Second().Add(-time.Second))
		for id, r := range s.recent {
			s.recent[id] = recent{min(r.heard, s.delivered), r.stamp}
		}
	}
}

// speaks is how many frames after its last one a start of the device is over.
const speaks = 64

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
func (s *State) boot(f *schema.FrameAdmitted) *boot {
	s.frames++
	at := slices.IndexFunc(s.boots, func(b *boot) bool { return b.id == f.BootID })
	if at < 0 {
		if len(s.boots) == maxBoots {
			copy(s.boots, s.boots[1:])
			s.boots = s.boots[:maxBoots-1]
		}
		at = len(s.boots)
		s.boots = append(s.boots, newBoot(f, s.cfg.Hold, at == 0 && !s.delivered.IsZero()))
	}
	b := s.boots[at]
	b.used = s.frames
	copy(s.boots[at:], s.boots[at+1:])
	s.boots[len(s.boots)-1] = b
	return b
}

// group sorts the frame's observations by tag and makes one message per tag.
// Four allocations serve the whole frame, whatever the number of tags.
func (s *State) group(f *schema.FrameAdmitted, out []Delivery) []Delivery {
	total := s.count(f)
	if total == 0 {
		return out
	}
	head := &tag.Frame{Source: f.Source, Before: s.before, Delivered: s.delivered, ArrivedAt: f.ArrivedAt}
	samples := make([]tag.Sample, total)
	heard := make([]tag.Heard, len(s.counts))
	tags := make([]schema.TagID, len(s.counts))
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
		tags[g] = id
	}
	if s.word.Tags == nil {
		s.word.Tags = tags
	} else {
		s.word.Tags = append(s.word.Tags, tags...)
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

// progress tells the tags that were heard lately, but not for so long that they may
// be absent, how far the device has delivered: once per event second, and a last time
// when the tag's silence has been long enough in any case. Until then the tide of the
// plan says all that they need.
func (s *State) progress(out []Delivery) []Delivery {
	if s.delivered.Second() <= s.told {
		return out
	}
	s.told = s.delivered.Second()
	var msg *tag.Progress
	for id, r := range s.recent {
		if r.stamp == s.stamp || s.delivered.Sub(r.heard) < s.cfg.Quiet {
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
