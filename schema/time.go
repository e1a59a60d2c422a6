package schema

import (
	"encoding/json"
	"time"
)

// EventTime is when something happened at the receiver: milliseconds since the
// Unix epoch, UTC. Eight bytes instead of time.Time's twenty-four matter on the
// hot path, and radio times are never known better than a millisecond.
type EventTime int64

// EventTimeOf returns t in milliseconds, rounded down.
func EventTimeOf(t time.Time) EventTime { return EventTime(t.UnixMilli()) }

// Time returns the same instant in UTC.
func (t EventTime) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns t moved by d, rounded down to milliseconds.
func (t EventTime) Add(d time.Duration) EventTime { return t + EventTime(d.Milliseconds()) }

// Sub returns the time from u to t.
func (t EventTime) Sub(u EventTime) time.Duration { return time.Duration(t-u) * time.Millisecond }

// Second returns t rounded down to a whole second, also before the epoch.
func (t EventTime) Second() EventTime {
	r := t % 1000
	if r < 0 {
		r += 1000
	}
	return t - r
}

// IsZero reports whether t is unset.
func (t EventTime) IsZero() bool { return t == 0 }

// MarshalJSON writes RFC 3339 in UTC with milliseconds; unset is null.
func (t EventTime) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.Time().Format("2006-01-02T15:04:05.000Z07:00"))
}

// UnmarshalJSON reads RFC 3339 or null.
func (t *EventTime) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	var v time.Time
	if err := json.Unmarshal(b, &v); err != nil {
		return Errorf(Invalid, "", "%.40s is not a time such as 2026-01-31T12:00:00.250Z", b)
	}
	*t = EventTimeOf(v)
	return nil
}
