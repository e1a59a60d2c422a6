package locate

import (
	"log/slog"
	"time"

	"mybeacon/actors"
	"mybeacon/actors/device"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// engine is the pure part of the actors around one tag: its plan's devices, the
// plan, and the tag, which speak to each other in the order in which their
// mailboxes would let them.
type engine struct {
	layout  *schema.Layout
	devices []*device.State
	seqs    []uint64
	plan    *plan.State
	tag     *tag.State
	id      schema.TagID

	effects tag.Effects   // since the last take
	spent   time.Duration // wall time in the tag since the last take

	told  []device.Delivery // reused
	tides []plan.Delivery   // reused
}

// layouts is the only plan of the engine.
type layouts struct{ layout *schema.Layout }

// Layout implements tag.Layouts.
func (l layouts) Layout(id schema.PlanID) (*schema.Layout, bool) {
	return l.layout, id == l.layout.Plan
}

// plant is what engines of one site share: all that is fixed.
type plant struct {
	cfg    actors.Config
	layout *schema.Layout
	plans  *tag.Plans
}

func newPlant(layout *schema.Layout) (*plant, error) {
	cfg, err := actors.DefaultConfig().Complete()
	if err != nil {
		return nil, err
	}
	p := &plant{cfg, layout, tag.NewPlans(layouts{layout}, cfg.Locate, cfg.Tag.Model, slog.New(slog.DiscardHandler))}
	return p, p.plans.Plan(layout.Plan).Err() // it also makes the tables, which are not the first fix's
}

// engine returns an engine that knows nothing but the layout.
func (p *plant) engine() *engine {
	layout := p.layout
	e := &engine{layout: layout, seqs: make([]uint64, len(layout.Receivers)), id: schema.TagID{1}}
	for _, r := range layout.Receivers {
		e.devices = append(e.devices, device.New(&p.cfg.Device, r.Device))
	}
	e.plan = plan.New(&p.cfg.Plan, layout.Plan).Follow(p.plans)
	e.tag = tag.New(&p.cfg.Tag, p.plans, tag.Key{Organisation: layout.Organisation, Tag: e.id})
	return e
}

// frame lets a receiver send what it heard of the tag up to a moment.
func (e *engine) frame(receiver int, end schema.EventTime, heard []schema.Heard) {
	e.seqs[receiver]++
	d := e.devices[receiver]
	e.told, _ = d.Frame(&schema.FrameAdmitted{
		Source: e.source(receiver), BootID: "bench", Seq: e.seqs[receiver],
		SentAt: end, ArrivedAt: end.Time(), Observations: heard,
	}, e.told[:0])
	for _, m := range e.told {
		e.tell(m.Msg)
	}
	if w := d.Word(); w != nil {
		e.tides = e.plan.Delivered(w, e.tides[:0])
		for _, m := range e.tides {
			e.tell(m.Msg)
		}
	}
	for i, l := range e.effects.Lessons {
		e.plan.Lessons(l)
		e.effects.Lessons[i] = nil // the plan owns it
	}
	e.effects.Lessons = e.effects.Lessons[:0]
}

// tell gives the tag a message, and takes the time.
func (e *engine) tell(msg any) {
	start := time.Now()
	switch m := msg.(type) {
	case *tag.Heard:
		e.tag.Heard(m, &e.effects)
	case *tag.Progress:
		e.tag.Progress(m, &e.effects)
	case *tag.Tide:
		e.tag.Tide(m, &e.effects)
	}
	e.spent += time.Since(start)
}

func (e *engine) source(receiver int) schema.Source {
	p := &e.layout.Receivers[receiver]
	return schema.Source{
		Organisation: e.layout.Organisation, Device: p.Device, Location: e.layout.Location,
		Plan: e.layout.Plan, Receiver: p.Receiver, KeepDays: schema.KeepForever,
	}
}
