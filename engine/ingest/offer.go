package ingest

import (
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Offer takes the frames of one message and returns every refusal: those of the
// decoder and its own. What was taken is acknowledged later, through Acks or
// AwaitAcks; what found no room, or was shed, is neither acknowledged nor refused,
// and the device sends it again.
func (s *Session) Offer(msg wire.Message) []wire.Rejection {
	who, now := s.binding(), s.in.cfg.Now()
	o := offer{Session: s, who: who, now: now, judge: newJudge(who, now), shedding: s.Shedding()}
	s.charge(who.Organisation, msg)
	d := s.dev
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.in.ctx.Err() != nil {
		return nil // Stop waits for loaders: no new one may begin
	}
	for _, r := range msg.Refused {
		o.refuse(r)
	}
	for i := range msg.Frames {
		o.frame(&msg.Frames[i])
	}
	return o.refusals
}

// offer is one call of Offer; its methods run under the device's lock.
type offer struct {
	*Session
	who      Device
	now      time.Time
	judge    judge
	shedding bool
	refusals []wire.Rejection
}

// refuse tells of a refused frame and, if its number is known, acknowledges it:
// sent again it would be no better.
func (o *offer) refuse(r wire.Rejection) {
	o.in.cfg.Metrics.frame(refused)
	o.in.cfg.Metrics.refuse(r.Reason)
	o.refusals = append(o.refusals, r)
	if r.Seq == 0 || !wire.ValidBootID(r.BootID) {
		return
	}
	if b := o.dev.boot(r.BootID); b != nil && !b.onWay.Contains(r.Seq) && !b.admitted.Contains(r.Seq) {
		o.dev.ack(b, wire.SeqRange{From: r.Seq, To: r.Seq})
		o.dev.broadcast()
	}
}

func (o *offer) frame(f *schema.Frame) {
	if reason := o.judge.frame(f); reason != 0 {
		o.putFrameAside(f, reason)
		o.refuse(wire.Rejection{BootID: f.BootID, Seq: f.Seq, Index: wire.WholeFrame, Reason: reason})
		return
	}
	b := o.dev.boot(f.BootID)
	if b == nil {
		o.in.cfg.Metrics.frame(postponed)
		o.end(overloaded(schema.Errorf(schema.TooMany, "boot_id", "%d starts of the scanner have frames on their way", maxBoots)))
		return
	}
	divided := o.who.divided(f)
	if b.stored.Contains(f.Seq) && onOneDay(f) && !divided && !b.admitted.Contains(f.Seq) {
		o.storedBefore(b, f.Seq)
		return
	}
	if b.onWay.Contains(f.Seq) || b.admitted.Contains(f.Seq) {
		o.again(b, f.Seq)
		return
	}
	if o.who.Organisation.IsZero() && !divided {
		o.in.cfg.Metrics.frame(unbound)
		o.acknowledge(b, f.Seq)
		return
	}
	o.admit(b, f, divided)
}

// again handles a frame that was seen before: one that is not on its way any
// more is stored, and is acknowledged once more since the device does not seem
// to know.
func (o *offer) again(b *boot, seq uint64) {
	o.in.cfg.Metrics.frame(duplicate)
	if !b.onWay.Contains(seq) {
		o.acknowledge(b, seq)
	}
}

// storedBefore recognises a frame that an earlier run of the server stored.
func (o *offer) storedBefore(b *boot, seq uint64) {
	o.in.cfg.Metrics.frame(duplicate)
	note(&b.admitted, wire.SeqRange{From: seq, To: seq})
	o.acknowledge(b, seq)
}

func (o *offer) acknowledge(b *boot, seq uint64) {
	o.dev.ack(b, wire.SeqRange{From: seq, To: seq})
	o.dev.broadcast()
}

// admit passes a frame on. Its number may have been acknowledged before, when it
// was refused or dropped and comes with other bytes: then it is not any more.
func (o *offer) admit(b *boot, f *schema.Frame, divided bool) {
	p := o.pack(f, divided)
	late := o.name(&p.FrameAdmitted, !o.known(b, f.Seq))
	o.notice(f, &p.FrameAdmitted)
	heard := p.observations()
	if o.shedding && heard > 0 {
		b.acked.Remove(f.Seq)
		b.fresh.Remove(f.Seq)
		o.shed(b, p.FrameAdmitted, late)
		return
	}
	b.spent.Remove(f.Seq)
	o.in.cfg.Metrics.frame(admitted)
	o.in.cfg.Metrics.admit(heard)
	if heard == 0 {
		note(&b.admitted, wire.SeqRange{From: f.Seq, To: f.Seq})
		o.acknowledge(b, f.Seq)
		o.dev.live(p.FrameAdmitted)
		return
	}
	b.acked.Remove(f.Seq)
	b.fresh.Remove(f.Seq)
	o.dev.take(b, &p)
	if b.loaded {
		o.pass(b, p)
		return
	}
	// Of a frame that is stored in parts, some rows do not prove that all are there.
	o.await(b, waiting{parcel: p, oneDay: onOneDay(f) && !divided, live: b.overdue})
}

// pack returns what of the frame passes, and tells of the rest.
func (o *offer) pack(f *schema.Frame, divided bool) parcel {
	var p parcel
	var refusals []wire.Rejection
	if divided {
		p, refusals = o.divide(f)
	} else {
		p.FrameAdmitted = schema.FrameAdmitted{Source: o.who.Source, BootID: f.BootID, Seq: f.Seq, SentAt: f.SentAt, ArrivedAt: o.now}
		p.Observations, p.Indexes, refusals = o.judge.observations(f)
		for _, r := range refusals {
			o.putAside(f, r.Index, r.Reason)
		}
	}
	for _, r := range refusals {
		o.in.cfg.Metrics.refuse(r.Reason)
	}
	o.refusals = append(o.refusals, refusals...)
	return p
}

// name finds the tags and which observations come too late for the live map, and
// reports whether any does. What is no news to the live tags is not late.
func (o *offer) name(f *schema.FrameAdmitted, news bool) (late bool) {
	e := ear{by: o.dev.listener, ceiling: o.judge.now, since: o.in.lateness.since}
	if o.who.Clock == ClockSource { // its time has nothing to do with the server's start
		e.ceiling, e.since = e.ceiling.Add(futureLimit), 0
	}
	told := f.SentAt
	for i := range f.Observations {
		h := &f.Observations[i]
		told = max(told, h.At)
		tag, known := o.in.cfg.Directory.Tag(f.Organisation, h.Transmitter)
		if known {
			h.Tag = tag
			h.Late = o.in.lateness.observe(tag, h.At, e) && news
			late = late || h.Late
		}
	}
	e.by.reach(min(told, e.ceiling))
	return late
}

// pass gives a taken frame to storage and, if that has room, to the actors.
func (o *offer) pass(b *boot, p parcel) {
	if o.dev.store(b, p) {
		o.dev.live(p.FrameAdmitted)
	} else if o.request {
		o.end(overloaded(nil))
	}
}

// await keeps a taken frame until the boot's stored frames are known.
func (o *offer) await(b *boot, w waiting) {
	b.waiting = append(b.waiting, w)
	if w.live {
		o.dev.live(w.FrameAdmitted)
	}
	if b.loading {
		return
	}
	b.loading = true
	o.dev.load(b, w.FrameAdmitted)
}
