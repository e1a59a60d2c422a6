package wire

import (
	"math"

	"mybeacon/schema"
)

// Protocol is the version of the device protocol spoken here, and Subprotocol
// its name as a WebSocket sub-protocol.
const (
	Protocol    = 1
	Subprotocol = "mybeacon.device.v1"
)

// Limits bounds what one message may cost. They are checked before memory is
// taken.
type Limits struct {
	MessageBytes  int // as sent, and of a WebSocket message
	UnpackedBytes int // after gzip
	UnpackRatio   int // unpacked bytes per sent byte
	JSONDepth     int // nested arrays and objects
	Frames        int // of a message
	Observations  int // of a message
	FrameLength   int // observations, and transmitters, of a frame
}

// DefaultLimits returns the bounds of the protocol. A scanner in a mall hears
// some 100 advertisements a second: a megabyte is its ten minutes.
func DefaultLimits() Limits {
	return Limits{
		MessageBytes:  1 << 20,
		UnpackedBytes: 8 << 20,
		UnpackRatio:   100,
		JSONDepth:     8,
		Frames:        1_000,
		Observations:  100_000,
		FrameLength:   10_000,
	}
}

// Values that decoders hand over in place of what a 16-bit RSSI cannot hold or
// the input did not say; both are outside [schema.MinRSSI]…[schema.MaxRSSI].
const (
	NoRSSI       schema.CentiDBm = math.MinInt16 // malformed or missing
	OutsideRSSI  schema.CentiDBm = math.MaxInt16 // beyond what 16 bits hold
	AirAbsent    schema.CentiDBm = 12700         // 127 dBm: "not available" on the air
	MalformedObs                 = schema.EventTime(math.MinInt64)
)

// Message is what one message or body held. A frame that was refused by its
// structure is in Refused and not in Frames; an observation that was malformed
// stands in its frame, at its index, with At = [MalformedObs].
type Message struct {
	Frames  []schema.Frame
	Refused []Rejection
}

// ValidBootID reports whether s may name a start of a scanner.
func ValidBootID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}

// centiDBm narrows a power without letting a wild value wrap into a valid one.
func centiDBm(v int64) schema.CentiDBm {
	if v > math.MaxInt16 || v <= math.MinInt16 {
		return OutsideRSSI
	}
	return schema.CentiDBm(v)
}

// addMillis adds without wrapping: a sum beyond 64 bits stays at the edge, which
// no check lets pass.
func addMillis(t schema.EventTime, delta int64) schema.EventTime {
	sum := int64(t) + delta
	if delta > 0 && sum < int64(t) {
		return math.MaxInt64
	}
	if delta < 0 && sum > int64(t) {
		return math.MinInt64 + 1
	}
	return schema.EventTime(sum)
}

// Close codes of the device's WebSocket beside those of RFC 6455: 1012 asks for
// a reconnect after a restart, 1013 for one when the engine has room again;
// "retry_ms=N" in their reason is a wait drawn for this device.
const (
	CloseUnauthorized = 4401 // the token is not, or no longer, valid
	CloseDisplaced    = 4409 // the device opened a newer connection
	CloseSilent       = 4408 // no message for a minute
	CloseProtocol     = 4400 // too many messages that could not be read
)
