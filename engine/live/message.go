package live

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"mybeacon/schema"
)

// The types of messages.
const (
	TypeSnapshot = "snapshot"
	TypeDelta    = "delta"
	TypeGap      = "gap"
)

// The states of a tag in a message.
const (
	StatePresent = "present"
	StateAbsent  = "absent"
	StateGone    = "gone"
)

// Message is one message to a watcher, as a receiver in Go decodes it.
type Message struct {
	Type  string           `json:"type"`
	Epoch string           `json:"epoch"`
	Seq   uint64           `json:"seq"`
	At    schema.EventTime `json:"at"` // server's clock when it was made
	Tags  []Tag            `json:"tags"`
	Zones []Zone           `json:"zones"`
}

// Tag is a tag's state in a message. Lengths are metres on the plan with two
// decimals; Zone and Receiver are zero, and empty text in JSON, when there is
// none. At is event time.
type Tag struct {
	ID        schema.TagID      `json:"id"`
	Name      string            `json:"name"`
	Type      string            `json:"tag_type"`
	Plan      schema.PlanID     `json:"plan"`
	X         float64           `json:"x_m"`
	Y         float64           `json:"y_m"`
	AccuracyM float64           `json:"accuracy_m"`
	Zone      schema.ZoneID     `json:"zone"`
	RSSI      float64           `json:"rssi_dbm"`
	Receiver  schema.ReceiverID `json:"receiver"`
	At        schema.EventTime  `json:"at"`
	State     string            `json:"state"`
}

// Zone is a zone's state in a message; State is empty or [StateGone].
type Zone struct {
	ID        schema.ZoneID `json:"id"`
	Name      string        `json:"name"`
	Plan      schema.PlanID `json:"plan"`
	Occupancy int           `json:"occupancy"`
	State     string        `json:"state,omitempty"`
}

// The encoder writes what encoding/json would, into a buffer that is used
// again: at 1,000 watchers it runs all the time.

func appendTag(b []byte, t *Tag) []byte {
	b = appendID(append(b, `{"id":`...), t.ID)
	b = appendString(append(b, `,"name":`...), t.Name)
	b = appendString(append(b, `,"tag_type":`...), t.Type)
	b = appendID(append(b, `,"plan":`...), t.Plan)
	b = appendHundredths(append(b, `,"x_m":`...), t.X)
	b = appendHundredths(append(b, `,"y_m":`...), t.Y)
	b = appendHundredths(append(b, `,"accuracy_m":`...), t.AccuracyM)
	b = appendID(append(b, `,"zone":`...), t.Zone)
	b = appendHundredths(append(b, `,"rssi_dbm":`...), t.RSSI)
	b = appendID(append(b, `,"receiver":`...), t.Receiver)
	b = appendTime(append(b, `,"at":`...), t.At.Time())
	b = append(b, `,"state":"`...)
	b = append(b, t.State...)
	return append(b, `"}`...)
}

func appendZone(b []byte, z *Zone) []byte {
	b = appendID(append(b, `{"id":`...), z.ID)
	b = appendString(append(b, `,"name":`...), z.Name)
	b = appendID(append(b, `,"plan":`...), z.Plan)
	b = strconv.AppendInt(append(b, `,"occupancy":`...), int64(z.Occupancy), 10)
	if z.State != "" {
		b = append(b, `,"state":"`...)
		b = append(b, z.State...)
		b = append(b, '"')
	}
	return append(b, '}')
}

func appendHead(b []byte, kind, epoch string, seq uint64, at time.Time) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, kind...)
	b = append(b, `","epoch":"`...)
	b = append(b, epoch...)
	b = strconv.AppendUint(append(b, `","seq":`...), seq, 10)
	return appendTime(append(b, `,"at":`...), at.UTC())
}

const hexDigits = "0123456789abcdef"

func appendID[I ~[16]byte](b []byte, id I) []byte {
	if id == *new(I) {
		return append(b, `""`...)
	}
	b = append(b, '"')
	for i, v := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return append(b, '"')
}

// appendHundredths writes null for what JSON has no number for: a map that
// shows a tag nowhere is better than one that cannot read the message.
func appendHundredths(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if math.Abs(v) < 1e12 { // beyond, hundredths do not exist and v*100 may overflow
		return strconv.AppendFloat(b, math.Round(v*100)/100, 'f', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'e', -1, 64)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	return append(b, '"')
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, "\ufffd"...)
			} else {
				b = append(b, s[i:i+n]...)
			}
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}
