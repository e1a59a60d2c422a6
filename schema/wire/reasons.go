package wire

import (
	"fmt"

	"mybeacon/schema"
)

// Reason is the numbered, stable code of a refusal. Numbers are never reused:
// 1xx refuse a message, 2xx a frame, 3xx one observation.
type Reason uint16

// The reasons. What each means and how to mend it is [Reason.Text].
const (
	MessageMalformed    Reason = 100
	MessageTooLarge     Reason = 101
	MessageTooDeep      Reason = 102
	CompressionBomb     Reason = 103
	TooManyFrames       Reason = 104
	TooManyObservations Reason = 105
	HelloExpected       Reason = 106
	ProtocolUnsupported Reason = 107
	DroppedInvalid      Reason = 108
	ContentUnknown      Reason = 109
	ReportInvalid       Reason = 110

	FrameMalformed      Reason = 200
	BootIDInvalid       Reason = 201
	SeqInvalid          Reason = 202
	SentAtInvalid       Reason = 203
	SentAtFuture        Reason = 204
	FrameTooLong        Reason = 206
	ColumnsUnequal      Reason = 207
	DeviceForeign       Reason = 208
	TransmittersTooMany Reason = 209

	ObservationMalformed Reason = 300
	RSSIOutOfRange       Reason = 301
	RSSIAbsent           Reason = 302
	TransmitterInvalid   Reason = 303
	AtFuture             Reason = 304
	AtExpired            Reason = 305
	AtInconsistent       Reason = 306
	AtUnbound            Reason = 307
)

type reasonRow struct {
	code Reason
	name string
	text string
}

// reasonRows is the documentation of the codes: the console, the metrics and
// the protocol's README are written from it.
func reasonRows() []reasonRow {
	return []reasonRow{
		{MessageMalformed, "message_malformed", "the message is not valid protobuf or JSON of the device protocol"},
		{MessageTooLarge, "message_too_large", "a message may have 1 MiB as sent and 8 MiB unpacked: send fewer frames at once"},
		{MessageTooDeep, "message_too_deep", "JSON may be nested 8 deep"},
		{CompressionBomb, "compression_bomb", "the body unpacks to more than 100 times its size"},
		{TooManyFrames, "too_many_frames", "a message may hold 1,000 frames: split it"},
		{TooManyObservations, "too_many_observations", "a message may hold 100,000 observations: split it"},
		{HelloExpected, "hello_expected", "the first message of a connection is hello, and there is one"},
		{ProtocolUnsupported, "protocol_unsupported", "the engine speaks version 1 of the device protocol"},
		{DroppedInvalid, "dropped_invalid", "dropped needs a boot_id and 1 <= from <= to, at most 1,000,000,000 frames"},
		{ContentUnknown, "content_unknown", "a POST is application/json or application/x-protobuf, packed with gzip or not at all"},
		{ReportInvalid, "report_invalid", "a report has a version of 64 characters, up to 32 modules, no numbers below 0, and shares from 0 to 1"},
		{FrameMalformed, "frame_malformed", "the frame is not valid protobuf or JSON"},
		{BootIDInvalid, "boot_id_invalid", "boot_id is 1 to 64 characters of A-Z a-z 0-9 _ -"},
		{SeqInvalid, "seq_invalid", "seq counts from 1"},
		{SentAtInvalid, "sent_at_invalid", "sent_at is a time from the year 2000 on, fixed when the frame was made"},
		{SentAtFuture, "sent_at_future", "quarantined: sent_at is more than 5 minutes ahead of the engine's clock: set the device's clock by the answer's now"},
		{FrameTooLong, "frame_too_long", "a frame may hold 10,000 observations"},
		{ColumnsUnequal, "columns_unequal", "transmitter, at_delta_ms and rssi_cdbm need one element per observation each"},
		{DeviceForeign, "device_foreign", "the frame names another device than the token's"},
		{TransmittersTooMany, "transmitters_too_many", "a frame may name 10,000 transmitters"},
		{ObservationMalformed, "observation_malformed", "an observation needs tag {uuid, major, minor}, {mac} or {namespace, instance}, a number rssi_dbm, and may have a time at"},
		{RSSIOutOfRange, "rssi_out_of_range", "RSSI is -127 to +20 dBm"},
		{RSSIAbsent, "rssi_absent", "127 means that the radio had no RSSI: leave the observation out"},
		{TransmitterInvalid, "transmitter_invalid", "the transmitter is not in the frame's table, or is neither a MAC address, an iBeacon nor an Eddystone-UID"},
		{AtFuture, "at_future", "quarantined: at is more than 5 minutes ahead of the engine's clock"},
		{AtExpired, "at_expired", "quarantined: at is older than the organisation keeps rows"},
		{AtInconsistent, "at_inconsistent", "at is before the year 2000, more than 7 days before sent_at, or more than 5 minutes after it"},
		{AtUnbound, "at_unbound", "the device was bound to nobody then: what it heard goes nowhere"},
	}
}

// Reasons lists every reason in the order of their numbers.
func Reasons() []Reason {
	rows := reasonRows()
	out := make([]Reason, len(rows))
	for i, r := range rows {
		out[i] = r.code
	}
	return out
}

func (r Reason) row() reasonRow {
	for _, row := range reasonRows() {
		if row.code == r {
			return row
		}
	}
	return reasonRow{code: r, name: "unknown", text: "unknown reason"}
}

// String returns the short name that metrics carry, such as "rssi_absent".
func (r Reason) String() string { return r.row().name }

// Text says what is wrong and what would be right.
func (r Reason) Text() string { return r.row().text }

// Quarantined reports whether an observation, or all of a frame, was put aside
// for its time, not for being wrong.
func (r Reason) Quarantined() bool { return r == AtFuture || r == AtExpired || r == SentAtFuture }

// WholeFrame is the Index of a [Rejection] that refuses a frame or a message.
const WholeFrame = -1

// Rejection is one refusal. BootID and Seq are empty when a whole message was
// refused, or when the frame's own were unreadable.
type Rejection struct {
	BootID string
	Seq    uint64
	Index  int // of the observation in the frame, or [WholeFrame]
	Reason Reason
}

// Error is a message that was refused as a whole.
type Error struct {
	Reason Reason
	Err    error // what the parser said, or nil; never shown to the sender
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (%d): %v", e.Reason, e.Reason, e.Err)
	}
	return fmt.Sprintf("%s (%d): %s", e.Reason, e.Reason, e.Reason.Text())
}

// Unwrap gives the refusal its [schema.Kind], for the HTTP status.
func (e *Error) Unwrap() error {
	kind := schema.Invalid
	switch e.Reason {
	case MessageTooLarge, CompressionBomb, TooManyFrames, TooManyObservations:
		kind = schema.TooLarge
	}
	return schema.Errorf(kind, "", "%d %s: %s", e.Reason, e.Reason, e.Reason.Text())
}

func refuse(r Reason, err error) error { return &Error{Reason: r, Err: err} }
