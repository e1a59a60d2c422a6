package alert

import (
	"slices"
	"time"

	"mybeacon/schema"
)

// Hold is for how long a cause must be gone before its alert ends: one that comes back
// sooner is the same.
const Hold = 90 * time.Second

// Settle is for how long after a stay has grown too long its end may still come to
// light: a tag is known to have left, or to be gone, some time after it was last there.
// It is longer than the timeout of the fence.
const Settle = 65 * time.Second

// Sites tells of plans and tags as they are now. It must be cheap.
type Sites interface {
	Layout(schema.PlanID) (*schema.Layout, bool)
	TagInfo(schema.TagID) (schema.Tag, bool)
}

// key tells watched things apart.
type key struct {
	rule RuleID
	Subject
}

// watch is one cause that goes on, or has just ended.
type watch struct {
	key
	plan  schema.PlanID // by whose tide it is judged; zero: by the server's clock
	began time.Time
	after time.Duration // until the condition is met
	value int
	bound int
	alert ID        // zero: not raised
	ended time.Time // zero: it goes on
	seen  time.Time // by the server's clock, when it was found out that it has ended
}

// Effects are what has come of events.
type Effects struct {
	Raised []Alert
	Ended  []End
}

// End is an alert whose cause ended then.
type End struct {
	Alert ID
	At    time.Time
}

// maxWatched bounds what is watched at once.
const maxWatched = 500_000

// State is what the rules know. It has no clock and does no I/O: events come in with
// their times, alerts come out.
type State struct {
	sites   Sites
	rules   map[RuleID]*Rule
	at      map[schema.LocationID][]*Rule // of zones
	lost    map[schema.OrganisationID][]*Rule
	silent  []*Rule
	battery []*Rule

	inside  map[schema.ZoneID]map[schema.TagID]schema.Visit // open visits
	watches map[schema.PlanID]map[key]*watch
	plans   map[key]schema.PlanID // where a watch is
	tides   map[schema.PlanID]time.Time
	refused uint64    // watches beyond the bound
	swept   time.Time // by the server's clock
}

// NewState returns a state without rules.
func NewState(sites Sites) *State {
	s := &State{
		sites: sites, inside: map[schema.ZoneID]map[schema.TagID]schema.Visit{}, watches: map[schema.PlanID]map[key]*watch{},
		plans: map[key]schema.PlanID{}, tides: map[schema.PlanID]time.Time{},
	}
	s.SetRules(nil)
	return s
}

// SetRules replaces the rules. What is watched for one that is gone, or looks at
// something else now, is forgotten; its alerts were ended by who changed it.
func (s *State) SetRules(rules []Rule) {
	before := s.rules
	s.rules, s.at, s.lost = make(map[RuleID]*Rule, len(rules)), map[schema.LocationID][]*Rule{}, map[schema.OrganisationID][]*Rule{}
	s.silent, s.battery = nil, nil
	for i := range rules {
		r := &rules[i]
		s.rules[r.ID] = r
		switch {
		case r.Kind.zonal():
			s.at[r.Location] = append(s.at[r.Location], r)
		case r.Kind == TagLost:
			s.lost[r.Organisation] = append(s.lost[r.Organisation], r)
		case r.Kind == ReceiverSilent:
			s.silent = append(s.silent, r)
		default:
			s.battery = append(s.battery, r)
		}
	}
	for k := range s.plans {
		if now, old := s.rules[k.rule], before[k.rule]; now == nil || old != nil && !now.same(old) {
			s.forget(k)
		}
	}
}

// interest is what the tap must let through.
func (s *State) interest() *interest {
	about := &interest{zones: map[schema.LocationID]bool{}, lost: map[schema.OrganisationID]bool{}}
	for at := range s.at {
		about.zones[at] = true
	}
	for org := range s.lost {
		about.lost[org] = true
	}
	return about
}

// Restore takes up an alert that was open when the server stopped. Until something is
// known of its cause, that goes on.
func (s *State) Restore(a Alert) {
	if s.rules[a.Rule] == nil {
		return
	}
	w := &watch{key: key{a.Rule, a.Subject}, plan: a.Plan, began: a.BeganAt, alert: a.ID, value: a.Value, bound: a.Bound}
	if a.Kind == ReceiverSilent || a.Kind == BatteryLow {
		w.plan = schema.PlanID{}
	}
	s.keep(w)
}

// Visit takes the beginning or the end of a stay.
func (s *State) Visit(v schema.Visit, e *Effects) {
	if len(s.at[v.Location]) == 0 {
		return
	}
	s.place(v)
	tag, _ := s.sites.TagInfo(v.Tag)
	for _, r := range s.at[v.Location] {
		if r.covers(v.Zone) && r.concerns(v.Tag, tag.Type) {
			s.visited(r, v, e)
		}
	}
}

// place notes who is inside of the zone after the visit.
func (s *State) place(v schema.Visit) {
	zone := s.inside[v.Zone]
	if zone == nil {
		zone = map[schema.TagID]schema.Visit{}
		s.inside[v.Zone] = zone
	}
	known := zone[v.Tag]
	switch {
	case v.LeftAt.IsZero():
		zone[v.Tag] = v
	case known.EnteredAt <= v.LeftAt: // else the end of an earlier one
		delete(zone, v.Tag)
	}
	if len(zone) == 0 {
		delete(s.inside, v.Zone)
	}
}

// visited tells one rule of a visit. One that has begun and ended since is told as both.
func (s *State) visited(r *Rule, v schema.Visit, e *Effects) {
	subject := Subject{Tag: v.Tag, Zone: v.Zone}
	entered, left := v.EnteredAt.Time(), v.LeftAt.Time()
	over := !v.LeftAt.IsZero()
	w := watch{key: key{r.ID, subject}, plan: v.Plan, began: entered}
	switch r.Kind {
	case Enter:
		if !entered.Before(r.Since) && r.Schedule.Open(entered) {
			s.begin(r, w, e)
		}
		if over {
			s.end(w.key, left, e)
		}
	case Leave:
		if w.began = left; over && !left.Before(r.Since) && r.Schedule.Open(left) {
			s.begin(r, w, e)
		}
		if !over {
			s.end(w.key, entered, e)
		}
	case Stay:
		w.after, w.bound = r.After, int(r.After.Seconds())
		s.begin(r, w, e)
		if over {
			s.end(w.key, left, e)
		}
	case Capacity:
		at := entered
		if over {
			at = left
		}
		s.crowd(r, v, at, e)
	}
}

// crowd judges how many are in the zone of a visit that changed it then.
func (s *State) crowd(r *Rule, v schema.Visit, at time.Time, e *Effects) {
	most, n := s.allowed(r, v.Plan, v.Zone), len(s.crowdOf(r, v.Zone))
	k := key{r.ID, Subject{Zone: v.Zone}}
	if most == 0 || n <= most {
		if w := s.find(k); w != nil && at.Before(w.began) {
			at = w.began // tags are told of side by side
		}
		s.end(k, at, e)
		return
	}
	s.begin(r, watch{key: k, plan: v.Plan, began: at, after: r.After, value: n, bound: most}, e)
	if w := s.find(k); w != nil && w.alert.IsZero() {
		w.value = max(w.value, n)
	}
}

// crowdOf returns since when the tags that the rule is about are in the zone, in order.
func (s *State) crowdOf(r *Rule, zone schema.ZoneID) []schema.EventTime {
	var since []schema.EventTime
	for id, v := range s.inside[zone] {
		if tag, _ := s.sites.TagInfo(id); r.concerns(id, tag.Type) {
			since = append(since, v.EnteredAt)
		}
	}
	slices.Sort(since)
	return since
}

// allowed returns how many tags may be in the zone; 0: nobody has said.
func (s *State) allowed(r *Rule, plan schema.PlanID, zone schema.ZoneID) int {
	if r.Most > 0 {
		return r.Most
	}
	return s.capacity(plan, zone)
}

func (s *State) capacity(plan schema.PlanID, zone schema.ZoneID) int {
	l, ok := s.sites.Layout(plan)
	if !ok {
		return 0
	}
	i := slices.IndexFunc(l.Zones, func(z schema.Zone) bool { return z.ID == zone })
	if i < 0 {
		return 0
	}
	return l.Zones[i].Capacity
}

// seen takes that a tag is gone, or back.
func (s *State) seen(at sight, e *Effects) {
	tag, _ := s.sites.TagInfo(at.tag)
	for _, r := range s.lost[at.org] {
		k := key{r.ID, Subject{Tag: at.tag}}
		switch {
		case !at.absent:
			s.end(k, at.heard.Time(), e)
		case r.Location == at.location && r.concerns(at.tag, tag.Type):
			s.begin(r, watch{key: k, plan: at.plan, began: at.heard.Time(), after: r.After, bound: int(r.After.Seconds())}, e)
		}
	}
}

// Silence is what is known of a receiver's device.
type Silence struct {
	Receiver schema.ReceiverID
	Since    time.Time // when it spoke last, or when the server began to listen; zero: it never has
	Online   bool
}

// quiet takes what is known of the receivers that the rule is about.
func (s *State) quiet(r *Rule, found []Silence, now time.Time, e *Effects) {
	there := make(map[schema.ReceiverID]bool, len(found))
	for _, f := range found {
		there[f.Receiver] = true
		k := key{r.ID, Subject{Receiver: f.Receiver}}
		switch {
		case f.Online:
			s.end(k, f.Since, e)
		case !f.Since.IsZero():
			s.begin(r, watch{key: k, began: f.Since, after: r.After, bound: int(r.After.Seconds())}, e)
		}
	}
	for k := range s.watches[schema.PlanID{}] {
		if k.rule == r.ID && !there[k.Receiver] { // it was taken down
			s.end(k, now, e)
		}
	}
}

// Charge is what a tag said of its battery.
type Charge struct {
	Tag     schema.TagID
	Type    string
	Percent int
	At      time.Time
}

// recovered is by how many per cent a battery must be above the rule's bound for the
// alert to end: in the cold a weak one says now this, now that.
const recovered = 5

// drained takes the batteries below the rule's bound, and a little above it.
func (s *State) drained(r *Rule, found []Charge, now time.Time, e *Effects) {
	low := make(map[schema.TagID]bool, len(found))
	for _, c := range found {
		low[c.Tag] = true
		if c.Percent < r.Below && r.concerns(c.Tag, c.Type) {
			s.begin(r, watch{key: key{r.ID, Subject{Tag: c.Tag}}, began: c.At, value: c.Percent, bound: r.Below}, e)
		}
	}
	for k := range s.watches[schema.PlanID{}] {
		if k.rule == r.ID && !low[k.Tag] {
			s.end(k, now, e)
		}
	}
}
