package alert

import (
	"time"

	"mybeacon/schema"
)

// Schedule is when a rule is looked at: on some days of the week from one minute of the
// day to another, by the clocks of a time zone. A To that is not after From is one of the
// next day, and the hours after midnight belong to the day on which they began.
type Schedule struct {
	Days     []int  `json:"days"`      // 1 Monday … 7 Sunday; empty: every day
	From     string `json:"from"`      // "22:00"
	To       string `json:"to"`        // "06:00", "24:00"; equal to From: the whole day
	TimeZone string `json:"time_zone"` // IANA name; empty: the location's

	zone     *time.Location
	from, to int // minutes of the day
}

const dayMinutes = 24 * 60

// validate checks the form and makes the schedule ready; nil is always.
func (s *Schedule) validate() error {
	if s == nil {
		return nil
	}
	seen := map[int]bool{}
	for _, d := range s.Days {
		if d < 1 || d > 7 || seen[d] {
			return schema.Errorf(schema.Invalid, "schedule.days", "must be different days from 1 (Monday) to 7 (Sunday), or empty for every day")
		}
		seen[d] = true
	}
	var ok bool
	if s.from, ok = minuteOf(s.From); !ok || s.from == dayMinutes {
		return schema.Errorf(schema.Invalid, "schedule.from", "%.20q is no time of the day such as 08:00", s.From)
	}
	if s.to, ok = minuteOf(s.To); !ok {
		return schema.Errorf(schema.Invalid, "schedule.to", "%.20q is no time of the day such as 18:30 or 24:00", s.To)
	}
	return s.locate(s.TimeZone)
}

// locate sets the zone by whose clocks the schedule is.
func (s *Schedule) locate(name string) error {
	if name == "Local" { // it would mean the server's
		name = "Nowhere/Local"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return schema.Errorf(schema.Invalid, "schedule.time_zone", "%.60q is not a time zone such as Europe/Moscow", s.TimeZone)
	}
	s.zone = zone
	return nil
}

// minuteOf reads "08:30"; 24:00 is the end of the day.
func minuteOf(text string) (int, bool) {
	if text == "24:00" {
		return dayMinutes, true
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

// Open reports whether the rule is looked at then. On the day on which clocks are turned
// it is what the clocks on the wall say that counts: an hour that comes twice is in or
// out twice.
func (s *Schedule) Open(at time.Time) bool {
	if s == nil {
		return true
	}
	local := at.In(s.zone)
	minute, day := local.Hour()*60+local.Minute(), isoDay(local)
	switch {
	case s.from == s.to || s.from == 0 && s.to == dayMinutes:
		return s.on(day)
	case s.from < s.to:
		return s.on(day) && minute >= s.from && minute < s.to
	}
	yesterday := (day+5)%7 + 1
	return s.on(day) && minute >= s.from || s.on(yesterday) && minute < s.to
}

func isoDay(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func (s *Schedule) on(day int) bool {
	if len(s.Days) == 0 {
		return true
	}
	for _, d := range s.Days {
		if d == day {
			return true
		}
	}
	return false
}
