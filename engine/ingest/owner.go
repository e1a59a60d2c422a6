package ingest

import (
	"sync"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// divided reports whether some of the frame was heard before the device became its
// present organisation's. Times of a recording say nothing about that.
func (d *Device) divided(f *schema.Frame) bool {
	if d.Since == 0 || d.Clock == ClockSource {
		return false
	}
	for i := range f.Observations {
		if d.before(f.Observations[i].At) {
			return true
		}
	}
	return false
}

// before reports whether that was heard before the present binding.
func (d *Device) before(at schema.EventTime) bool { return at < d.Since && at != wire.MalformedObs }

// owner returns whose the device was then, and false when it was nobody's or that is
// too long ago to be known.
func (d *Device) owner(at schema.EventTime) (int, bool) {
	for i := range d.Former {
		if f := &d.Former[i]; at >= f.From && at < f.To {
			return i, true
		}
	}
	return 0, false
}

// parcel is a frame with those of its observations that are former organisations',
// which go to storage only.
type parcel struct {
	schema.FrameAdmitted
	former []schema.FrameAdmitted
}

// parts calls fn with each part that has observations.
func (p *parcel) parts(fn func(*schema.FrameAdmitted)) {
	if len(p.Observations) > 0 {
		fn(&p.FrameAdmitted)
	}
	for i := range p.former {
		fn(&p.former[i])
	}
}

// observations counts those of all parts.
func (p *parcel) observations() int {
	n := 0
	p.parts(func(f *schema.FrameAdmitted) { n += len(f.Observations) })
	return n
}

// divide judges a frame that was heard under several bindings. What was heard while
// the device was somebody else's is theirs; nobody's is refused, and a present nobody's
// is let go.
func (o *offer) divide(f *schema.Frame) (parcel, []wire.Rejection) {
	var refusals []wire.Rejection
	whole := schema.FrameAdmitted{Source: o.who.Source, BootID: f.BootID, Seq: f.Seq, SentAt: f.SentAt, ArrivedAt: o.now}
	out := parcel{FrameAdmitted: whole}
	part := map[int]int{} // of out.former, by the index of the former binding
	for i := range f.Observations {
		heard := &f.Observations[i]
		if !o.who.before(heard.At) {
			if reason := o.judge.observation(f, heard); reason != 0 {
				o.putAside(f, i, reason)
				refusals = append(refusals, wire.Rejection{BootID: f.BootID, Seq: f.Seq, Index: i, Reason: reason})
			} else if !o.who.Organisation.IsZero() {
				out.add(i, heard)
			}
			continue
		}
		owner, reason := o.judgeFormer(f, heard)
		if reason != 0 { // put aside it would be shown to the present organisation
			refusals = append(refusals, wire.Rejection{BootID: f.BootID, Seq: f.Seq, Index: i, Reason: reason})
			continue
		}
		at, begun := part[owner]
		if !begun {
			at = len(out.former)
			part[owner] = at
			one := whole
			one.Source = o.who.Former[owner].Source
			out.former = append(out.former, one)
		}
		one := parcel{FrameAdmitted: out.former[at]}
		one.add(i, heard)
		out.former[at] = one.FrameAdmitted
	}
	o.nameFormer(&out)
	return out, refusals
}

func (p *parcel) add(index int, heard *schema.Observation) {
	p.Observations = append(p.Observations, schema.Heard{Observation: *heard})
	p.Indexes = append(p.Indexes, uint16(index))
}

// judgeFormer returns whose the observation is, or why it is refused.
func (o *offer) judgeFormer(f *schema.Frame, heard *schema.Observation) (owner int, reason wire.Reason) {
	owner, known := o.who.owner(heard.At)
	if !known {
		return 0, wire.AtUnbound
	}
	then := newJudge(Device{Source: o.who.Former[owner].Source, Clock: o.who.Clock}, o.now)
	return owner, then.observation(f, heard)
}

// nameFormer finds the tags of the former organisations. To their live maps all of it
// is late: the device is not theirs any more.
func (o *offer) nameFormer(p *parcel) {
	for i := range p.former {
		one := &p.former[i]
		for j := range one.Observations {
			h := &one.Observations[j]
			if tag, known := o.in.cfg.Directory.Tag(one.Organisation, h.Transmitter); known {
				h.Tag, h.Late = tag, true
			}
		}
	}
}

// journal hands the parts to the journal; done is called once, when all of them are
// stored or one was given up. After an error done will not be called; parts that were
// taken by then are stored once more under the same keys when the frame comes again.
func (in *Ingest) journal(p *parcel, done func(error)) error {
	if len(p.former) == 0 {
		return in.cfg.Journal.Add(p.FrameAdmitted, done)
	}
	all := &together{done: done}
	p.parts(func(*schema.FrameAdmitted) { all.left++ })
	var failed error
	p.parts(func(f *schema.FrameAdmitted) {
		if failed == nil {
			failed = in.cfg.Journal.Add(*f, all.part)
		}
	})
	if failed != nil {
		all.abandon()
	}
	return failed
}

// together calls done when all parts are done.
type together struct {
	done func(error)

	mu   sync.Mutex
	left int
	err  error // the first one
}

func (t *together) part(err error) {
	t.mu.Lock()
	if t.err == nil {
		t.err = err
	}
	t.left--
	last, first := t.left == 0, t.err
	t.mu.Unlock()
	if last {
		t.done(first)
	}
}

// abandon keeps done from being called: some part will never be done.
func (t *together) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = -1
}
