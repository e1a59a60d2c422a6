// Package wire is the device protocol: the messages of device.proto, the JSON
// form of a POST, their bounded decoders, and the numbered reasons for which
// input is refused.
//
// # Who may hurt whom
//
// Everything that is decoded here came over the network from a box we do not
// control. Decoders therefore check a count or a length before they allocate
// for it ([Limits]), never panic, and work in time proportional to the input.
// The proof is fuzzed: the bytes of one message never cost more than a constant
// factor of their own length.
//
// # What is refused, and how much
//
// A refusal takes as little with it as it can:
//
//   - an observation that is wrong is refused by its index; its frame's others
//     are kept, and keep their index, since (device, boot_id, seq, idx) names a
//     row for ever;
//   - a frame that is wrong is refused, its message's others are kept;
//   - only a message that cannot be taken apart is refused as a whole.
//
// A refusal is final. The refused frame is acknowledged like a stored one, so
// that the scanner lets go of bytes which will be no better next time; the
// [Rejection] beside the ack says what happened and a counter per [Reason]
// keeps it visible.
//
// Decoders judge structure only and hand over suspicious values ([NoRSSI], a
// zero transmitter) for engine/ingest to judge, which knows the clock and the
// organisation's retention.
//
// A [Decoder] belongs to one goroutine; functions of this package may be called
// from any.
package wire
