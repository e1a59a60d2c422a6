package tag

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// Layouts gives the current layout of a plan; false when there is none. It must
// be cheap and safe for concurrent use. A changed plan has a higher Version.
type Layouts interface {
	Layout(schema.PlanID) (*schema.Layout, bool)
}

// Plan is a layout made ready for fixing tags: shared by the tags of the plan and
// immutable.
type Plan struct {
	Layout  *schema.Layout
	locator locate.Locator        // nil when the layout allows no positions
	laid    *locate.Zones         // nil without a locator
	model   *zonemodel.Model      // nil where zones are told by positions
	err     error                 // why there is no locator
	zones   map[schema.ZoneID]int // numbers that outlive versions of the plan
	byIndex []schema.ZoneID       // the inverse; zero for a zone that is no more
	parents []int                 // by number: the zone that it is a part of, or outside
	nested  bool                  // some zone has a parent
}

// The levels of zones. A tag is in one zone of each at most.
const (
	whole  = iota // zones that are no part of another; being in a part is being in its whole
	part          // their sub-zones
	levels        // how many there are
)

var errNoReceivers = errors.New("the plan has no receivers")

// outside is the number of no zone.
const outside = fence.Outside

// zone returns the zone's number, or outside when the plan has it no longer.
func (p *Plan) zone(id schema.ZoneID) int {
	if n, ok := p.zones[id]; ok && p.byIndex[n] == id {
		return n
	}
	return outside
}

// parent returns the id of the zone that a zone is a part of, or zero.
func (p *Plan) parent(zone int) schema.ZoneID {
	if up := p.parents[zone]; up != outside {
		return p.byIndex[up]
	}
	return schema.ZoneID{}
}

// top returns the number of the zone that is no part and that a zone belongs to.
func (p *Plan) top(zone int) int {
	if zone == outside || p.parents[zone] == outside {
		return zone
	}
	return p.parents[zone]
}

// receiver returns the receiver's place in the layout, or -1.
func (p *Plan) receiver(id schema.ReceiverID) int {
	for i := range p.Layout.Receivers {
		if p.Layout.Receivers[i].Receiver == id {
			return i
		}
	}
	return -1
}

// Plans makes plans ready when they are first needed and after each change, and
// forgets those that went.
type Plans struct {
	layouts Layouts
	cfg     locate.Config
	model   zonemodel.Config
	log     *slog.Logger

	mu   sync.RWMutex // guards byID
	byID map[schema.PlanID]*planSlot
}

// planSlot lets tags of other plans go on while a plan is made ready.
type planSlot struct {
	mu   sync.Mutex // held while a version is prepared
	plan atomic.Pointer[Plan]
}

// NewPlans returns an empty set.
func NewPlans(layouts Layouts, cfg locate.Config, model zonemodel.Config, log *slog.Logger) *Plans {
	return &Plans{layouts: layouts, cfg: cfg, model: model, log: log, byID: make(map[schema.PlanID]*planSlot)}
}

// Plan returns the plan in its current version, or nil when there is none.
func (p *Plans) Plan(id schema.PlanID) *Plan {
	layout, ok := p.layouts.Layout(id)
	if !ok {
		p.Forget(id)
		return nil
	}
	slot := p.slot(id)
	if plan := slot.plan.Load(); plan.is(layout) {
		return plan
	}
	slot.mu.Lock()
	defer slot.mu.Unlock()
	plan := slot.plan.Load()
	if !plan.is(layout) {
		plan = p.prepare(layout, plan)
		slot.plan.Store(plan)
	}
	return plan
}

func (p *Plan) is(l *schema.Layout) bool { return p != nil && p.Layout.Version == l.Version }

func (p *Plans) slot(id schema.PlanID) *planSlot {
	p.mu.RLock()
	slot := p.byID[id]
	p.mu.RUnlock()
	if slot != nil {
		return slot
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if slot = p.byID[id]; slot == nil {
		slot = &planSlot{}
		p.byID[id] = slot
	}
	return slot
}

// Forget drops what was prepared for a plan.
func (p *Plans) Forget(id schema.PlanID) {
	p.mu.RLock()
	_, known := p.byID[id]
	p.mu.RUnlock()
	if known {
		p.mu.Lock()
		delete(p.byID, id)
		p.mu.Unlock()
	}
}

// prepare builds a plan. A layout that allows no positions, or a zone that is
// not a polygon, costs only itself: the store refuses them at the door, so here
// they are logged and left out.
func (p *Plans) prepare(l *schema.Layout, old *Plan) *Plan {
	plan := &Plan{Layout: l}
	log := p.log.With("plan", l.Plan.String(), "version", l.Version)
	plan.number(old)
	plan.nest(log)
	if old != nil && sameSite(old.Layout, l) {
		plan.locator, plan.err = old.locator, old.err // tags keep their tracks while zones are edited
	} else if len(l.Receivers) == 0 {
		plan.err = errNoReceivers
	} else if plan.locator, plan.err = newLocator(l, p.cfg, log); plan.err != nil {
		log.Error("the plan allows no positions", "error", plan.err)
	}
	if plan.locator != nil {
		plan.laid = plan.lay(log)
	}
	if len(l.Examples) > 0 {
		plan.learn(p.model, log)
	}
	return plan
}

// newLocator makes the locator of a layout. No-go areas that leave no place for a
// tag are worth less than positions.
func newLocator(l *schema.Layout, cfg locate.Config, log *slog.Logger) (locate.Locator, error) {
	site := siteOf(l)
	for i, area := range l.NoGo {
		polygon := pointsOf(area)
		if err := fence.Validate(polygon); err != nil {
			log.Error("the no-go area is left out", "area", i+1, "error", err)
			continue
		}
		site.NoGo = append(site.NoGo, polygon)
	}
	locator, err := locate.New(site, cfg)
	if err == nil || len(site.NoGo) == 0 {
		return locator, err
	}
	site.NoGo = nil
	if locator, without := locate.New(site, cfg); without == nil {
		log.Error("the no-go areas are left out", "error", err)
		return locator, nil
	}
	return nil, err
}

// learn makes the model of what zones sound like. Examples of zones that are no
// more, and readings of receivers that were taken down, are left out.
func (p *Plan) learn(cfg zonemodel.Config, log *slog.Logger) {
	place := placesOf(p.Layout)
	var examples []zonemodel.Example
	for _, e := range p.Layout.Examples {
		zone := p.zone(e.Zone)
		if zone == outside && !e.Zone.IsZero() {
			continue
		}
		x := zonemodel.Example{Zone: zone, RSSIdBm: slices.Repeat([]float64{math.NaN()}, len(p.Layout.Receivers))}
		for _, h := range e.Heard {
			if i, ok := place[h.Receiver]; ok {
				x.RSSIdBm[i] = h.RSSI.DBm()
			}
		}
		examples = append(examples, x)
	}
	var err error
	if p.model, err = zonemodel.Learn(len(p.Layout.Receivers), examples, cfg); err != nil {
		log.Error("the zones cannot be learned; they are told by positions", "error", err)
	}
}

// Locator returns what makes positions on the plan, or nil; see [Plan.Err].
func (p *Plan) Locator() locate.Locator { return p.locator }

// Err returns why there are no positions on the plan, or nil.
func (p *Plan) Err() error { return p.err }

// lay lays the zones over the locator's cells.
func (p *Plan) lay(log *slog.Logger) *locate.Zones {
	zones := make([]fence.Zone, 0, len(p.Layout.Zones))
	for i := range p.Layout.Zones {
		z := &p.Layout.Zones[i]
		f := fence.Zone{Index: p.zones[z.ID], Polygon: pointsOf(z.Polygon)}
		if err := fence.Validate(f.Polygon); err != nil {
			log.Error("the zone is left out", "zone", z.ID.String(), "error", err)
			continue
		}
		zones = append(zones, f)
	}
	laid, err := p.locator.Zones(zones)
	if err != nil {
		log.Error("the plan has no zones", "error", err)
		laid, err = p.locator.Zones(nil)
		if err != nil {
			panic("BUG: no zones cannot be laid: " + err.Error())
		}
	}
	return laid
}

// number gives each zone a number that it keeps for as long as the plan is
// prepared: a tag's fence remembers numbers across versions, and a number that
// went to another zone would move the tag there.
func (p *Plan) number(old *Plan) {
	p.zones = make(map[schema.ZoneID]int, len(p.Layout.Zones))
	if old != nil {
		p.byIndex = make([]schema.ZoneID, len(old.byIndex))
		for id, n := range old.zones {
			p.zones[id] = n
		}
	}
	for i := range p.Layout.Zones {
		id := p.Layout.Zones[i].ID
		n, known := p.zones[id]
		if !known {
			n = len(p.byIndex)
			p.zones[id] = n
			p.byIndex = append(p.byIndex, schema.ZoneID{})
		}
		p.byIndex[n] = id
	}
}

// nest notes which zones are parts of which. A parent that is not on the plan, or
// is a part itself, is none.
func (p *Plan) nest(log *slog.Logger) {
	p.parents = slices.Repeat([]int{outside}, len(p.byIndex))
	isPart := make(map[schema.ZoneID]bool)
	for i := range p.Layout.Zones {
		isPart[p.Layout.Zones[i].ID] = !p.Layout.Zones[i].Parent.IsZero()
	}
	for i := range p.Layout.Zones {
		z := &p.Layout.Zones[i]
		if z.Parent.IsZero() {
			continue
		}
		up := p.zone(z.Parent)
		if up == outside || isPart[z.Parent] {
			log.Error("the zone is taken for no part of another", "zone", z.ID.String(), "parent", z.Parent.String())
			continue
		}
		p.parents[p.zones[z.ID]], p.nested = up, true
	}
}

// sameSite reports whether two layouts place tags alike.
func sameSite(a, b *schema.Layout) bool {
	return a.Bounds == b.Bounds && a.TagHeightM == b.TagHeightM &&
		slices.Equal(a.Receivers, b.Receivers) && slices.Equal(a.Survey, b.Survey) &&
		slices.EqualFunc(a.NoGo, b.NoGo, slices.Equal[[]schema.Point])
}

// placesOf returns where in the layout each receiver is.
func placesOf(l *schema.Layout) map[schema.ReceiverID]int {
	place := make(map[schema.ReceiverID]int, len(l.Receivers))
	for i, r := range l.Receivers {
		place[r.Receiver] = i
	}
	return place
}

func siteOf(l *schema.Layout) locate.Site {
	site := locate.Site{
		Bounds:     r2.RectFromPoints(r2.Point(l.Bounds.Min), r2.Point(l.Bounds.Max)),
		Receivers:  make([]r3.Vector, len(l.Receivers)),
		GainDB:     make([]float64, len(l.Receivers)),
		TagHeightM: l.TagHeightM,
	}
	for i, r := range l.Receivers {
		site.Receivers[i], site.GainDB[i] = r3.Vector{X: r.X, Y: r.Y, Z: r.Z}, r.GainDB
	}
	place := placesOf(l)
	// Readings of receivers that were taken down since, or of what was cut off the
	// plan, are no news about what is left.
	for _, s := range l.Survey {
		if i, ok := place[s.Receiver]; ok && site.Bounds.ContainsPoint(r2.Point(s.At)) && len(site.Survey) < locate.MaxSurvey {
			site.Survey = append(site.Survey, locate.Labelled{At: r2.Point(s.At), Receiver: i, RSSIdBm: s.RSSI.DBm(), Source: s.Source})
		}
	}
	return site
}

func pointsOf(polygon []schema.Point) []r2.Point {
	out := make([]r2.Point, len(polygon))
	for i, p := range polygon {
		out[i] = r2.Point(p)
	}
	return out
}
