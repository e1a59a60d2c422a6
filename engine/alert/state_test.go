package alert_test

import (
	"testing"
	"time"

	"mybeacon/engine/alert"
	"mybeacon/schema"
)

// judged is a state with one rule, without a database.
type judged struct {
	*alert.State
	*site
	at  time.Time
	e   alert.Effects
	loc schema.LocationID
}

func judge(kind alert.Kind, change func(*alert.Rule)) (*judged, alert.Rule) {
	j := &judged{site: newSite(), at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), loc: schema.NewID[schema.LocationID]()}
	j.State = alert.NewState(j.site)
	r := alert.Rule{ID: schema.NewID[alert.RuleID](), Enabled: true, Condition: alert.Condition{Kind: kind, Location: j.loc}, Since: j.at.Add(-time.Hour)}
	if change != nil {
		change(&r)
	}
	j.SetRules([]alert.Rule{r})
	return j, r
}

// stay is a visit of a tag of its own; negative left: it goes on.
func (j *judged) stay(zone schema.ZoneID, entered, left time.Duration) schema.Visit {
	j.draw(zone)
	tag := schema.NewID[schema.TagID]()
	v := schema.Visit{Tag: tag, Location: j.loc, Plan: j.plan, Zone: zone, EnteredAt: schema.EventTimeOf(j.at.Add(entered))}
	v.ID = schema.NewVisitID(schema.OrganisationID{}, tag, zone, v.EnteredAt)
	if left >= 0 {
		v.LeftAt = schema.EventTimeOf(j.at.Add(left))
	}
	return v
}

func (j *judged) pass(after time.Duration) { j.Tide(j.plan, schema.EventTimeOf(j.at.Add(after)), &j.e) }

func (j *judged) want(t *testing.T, what string, raised, ended int) {
	t.Helper()
	if len(j.e.Raised) != raised || len(j.e.Ended) != ended {
		t.Errorf("%s: %d raised and %d ended, want %d and %d", what, len(j.e.Raised), len(j.e.Ended), raised, ended)
	}
}

// A crowd that stands is read back from storage in any order and raises nothing anew and
// ends nothing; one that came meanwhile is told once, from when it was too many.
func TestReplayOfCrowds(t *testing.T) {
	zone := schema.NewID[schema.ZoneID]()
	j, _ := judge(alert.Capacity, func(r *alert.Rule) { r.Most = 2 })
	visits := []schema.Visit{j.stay(zone, 20*time.Minute, -1), j.stay(zone, 0, -1), j.stay(zone, time.Minute, 10*time.Minute), j.stay(zone, 5*time.Minute, -1)}
	for range 2 {
		j.Replay(visits, &j.e)
		j.want(t, "the crowd stands", 1, 0)
		j.pass(30 * time.Minute)
	}
	a := j.e.Raised[0]
	if !a.BeganAt.Equal(j.at.Add(20*time.Minute)) || a.Value != 3 {
		t.Errorf("%+v", a)
	}

	again := &judged{State: alert.NewState(j.site), site: j.site, at: j.at, loc: j.loc}
	again.SetRules([]alert.Rule{{ID: a.Rule, Enabled: true, Condition: alert.Condition{Kind: alert.Capacity, Location: j.loc, Most: 2}}})
	again.Restore(a)
	again.Replay(visits, &again.e)
	again.pass(time.Hour)
	again.want(t, "after a restart", 0, 0)
	visits[1].LeftAt = schema.EventTimeOf(j.at.Add(40 * time.Minute))
	again.Replay(visits, &again.e)
	again.pass(2 * time.Hour)
	again.want(t, "one has left", 0, 1)
	if end := again.e.Ended[0]; end.Alert != a.ID || !end.At.Equal(j.at.Add(40*time.Minute)) {
		t.Errorf("%+v", end)
	}
}

// A zone that has no capacity any more is not over it.
func TestCapacityTakenAway(t *testing.T) {
	zone := schema.NewID[schema.ZoneID]()
	j, _ := judge(alert.Capacity, nil)
	j.layout.Zones = []schema.Zone{{ID: zone, Capacity: 1}}
	j.Visit(j.stay(zone, 0, -1), &j.e)
	j.Visit(j.stay(zone, time.Minute, -1), &j.e)
	j.want(t, "full", 1, 0)
	j.layout.Zones[0].Capacity = 0
	j.pass(2 * time.Minute)
	j.pass(2*time.Minute + alert.Hold)
	j.want(t, "no capacity", 1, 1)
}

// What has ended closes by the server's clock when no tide of its plan comes any more.
func TestClosedByTheClock(t *testing.T) {
	j, _ := judge(alert.Enter, nil)
	zone, now := schema.NewID[schema.ZoneID](), j.at.Add(time.Hour) // the server's clock is another
	v := j.stay(zone, 0, -1)
	j.Visit(v, &j.e)
	v.LeftAt = schema.EventTimeOf(j.at.Add(time.Minute))
	j.Visit(v, &j.e)
	j.Clock(now, &j.e)
	j.Clock(now.Add(alert.Hold+4*time.Minute), &j.e)
	j.want(t, "the tide may still come", 1, 0)
	j.Clock(now.Add(alert.Hold+5*time.Minute), &j.e)
	j.want(t, "it did not", 1, 1)
	if at := j.e.Ended[0].At; !at.Equal(v.LeftAt.Time()) {
		t.Errorf("ended at %v", at)
	}
}

// Alerts about what is removed end.
func TestRemoved(t *testing.T) {
	for what, remove := range map[string]func(j *judged, v schema.Visit){
		"tag":  func(j *judged, v schema.Visit) { j.removed = map[schema.TagID]bool{v.Tag: true} },
		"zone": func(j *judged, _ schema.Visit) { j.layout.Zones = nil },
		"plan": func(j *judged, _ schema.Visit) { j.closed = true },
	} {
		j, _ := judge(alert.Enter, nil)
		v := j.stay(schema.NewID[schema.ZoneID](), 0, -1)
		j.Visit(v, &j.e)
		j.Clock(j.at, &j.e)
		j.want(t, what+" is there", 1, 0)
		remove(j, v)
		j.Clock(j.at.Add(time.Minute), &j.e)
		j.Clock(j.at.Add(2*time.Minute), &j.e)
		j.want(t, what+" is removed", 1, 1)
	}
}
