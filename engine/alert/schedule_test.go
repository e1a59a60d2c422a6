package alert_test

import (
	"errors"
	"testing"
	"time"

	"mybeacon/engine/alert"
	"mybeacon/schema"
)

// A schedule is what the clocks on the wall say, over midnight and on the days on which
// they are turned.
func TestSchedule(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	night := alert.Schedule{Days: []int{5}, From: "22:00", To: "06:00", TimeZone: "Europe/Berlin"} // Friday night
	office := alert.Schedule{Days: []int{1, 2, 3, 4, 5}, From: "08:00", To: "18:00", TimeZone: "Europe/Berlin"}
	sunday := alert.Schedule{Days: []int{7}, From: "02:15", To: "02:45", TimeZone: "Europe/Berlin"}
	whole := alert.Schedule{Days: []int{6}, From: "00:00", To: "24:00", TimeZone: "Europe/Berlin"}
	for _, c := range []struct {
		name string
		s    alert.Schedule
		at   string
		open bool
	}{
		{"before", night, "2026-01-02T21:59:59+01:00", false},
		{"Friday evening", night, "2026-01-02T22:00:00+01:00", true},
		{"Saturday morning", night, "2026-01-03T05:59:59+01:00", true},
		{"its end", night, "2026-01-03T06:00:00+01:00", false},
		{"Thursday's night", night, "2026-01-02T05:00:00+01:00", false},
		{"Saturday evening", night, "2026-01-03T23:00:00+01:00", false},
		{"office", office, "2026-07-06T08:00:00+02:00", true},
		{"office in UTC", office, "2026-07-06T06:00:00Z", true},
		{"office in winter", office, "2026-01-05T07:00:00Z", true},
		{"weekend", office, "2026-07-05T10:00:00+02:00", false},
		{"02:30 that is skipped", sunday, "2026-03-29T01:30:00Z", false},
		{"02:30 that comes first", sunday, "2026-10-25T00:30:00Z", true},
		{"02:30 that comes again", sunday, "2026-10-25T01:30:00Z", true},
		{"whole day", whole, "2026-01-03T23:59:59+01:00", true},
		{"the next", whole, "2026-01-04T00:00:00+01:00", false},
	} {
		r := alert.Rule{Condition: alert.Condition{Kind: alert.Enter, Location: schema.NewID[schema.LocationID]()}, Schedule: &c.s, Notify: alert.Notify{Console: true}}
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := c.s.Open(at(c.at)); got != c.open {
			t.Errorf("%s: %t, want %t", c.name, got, c.open)
		}
	}
}

// What is wrong with a rule is said with the field.
func TestWrongRules(t *testing.T) {
	place := schema.NewID[schema.LocationID]()
	for field, change := range map[string]func(*alert.Rule){
		"condition.kind":          func(r *alert.Rule) { r.Kind = "explode" },
		"condition.location":      func(r *alert.Rule) { r.Location = schema.LocationID{} },
		"condition.after_s":       func(r *alert.Rule) { r.Kind, r.After = alert.TagLost, 10*time.Second },
		"condition.limit":         func(r *alert.Rule) { r.Most = 5 },
		"condition.below_percent": func(r *alert.Rule) { r.Kind = alert.BatteryLow },
		"condition.receivers":     func(r *alert.Rule) { r.Receivers = make([]schema.ReceiverID, 1) },
		"condition.types":         func(r *alert.Rule) { r.Types = []string{"ghost"} },
		"schedule.from":           func(r *alert.Rule) { r.Schedule = &alert.Schedule{From: "25:00", To: "26:00"} },
		"schedule.days":           func(r *alert.Rule) { r.Schedule = &alert.Schedule{Days: []int{0}, From: "08:00", To: "09:00"} },
		"schedule.time_zone":      func(r *alert.Rule) { r.Schedule = &alert.Schedule{From: "08:00", To: "09:00", TimeZone: "Mars"} },
		"notify":                  func(r *alert.Rule) { r.Notify.Console = false },
	} {
		r := alert.Rule{Condition: alert.Condition{Kind: alert.Enter, Location: place}, Notify: alert.Notify{Console: true}}
		change(&r)
		var e *schema.Error
		if err := r.Validate(); !errors.As(err, &e) || e.Field != field || e.Kind != schema.Invalid {
			t.Errorf("%s: %v", field, err)
		}
	}
}
