package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"mybeacon/schema"
)

// Encoder writes frames. It keeps its scratch between frames and belongs to one
// goroutine.
type Encoder struct {
	table map[schema.Transmitter]uint64
	body  []byte
	col   []byte
}

// NewEncoder returns an encoder.
func NewEncoder() *Encoder { return &Encoder{table: make(map[schema.Transmitter]uint64)} }

// AppendFrame appends the frame's bytes (one [wirepb.Frame], without a tag) to
// dst. Equal frames give equal bytes: the table is in the order of first use.
func (e *Encoder) AppendFrame(dst []byte, f schema.Frame) []byte {
	dst = protowire.AppendTag(dst, 1, protowire.BytesType)
	dst = protowire.AppendString(dst, f.BootID)
	dst = protowire.AppendTag(dst, 2, protowire.VarintType)
	dst = protowire.AppendVarint(dst, f.Seq)
	dst = protowire.AppendTag(dst, 3, protowire.VarintType)
	dst = protowire.AppendVarint(dst, uint64(f.SentAt))
	if len(f.Observations) == 0 {
		return dst
	}
	clear(e.table)
	for i := range f.Observations {
		dst = e.appendTransmitter(dst, f.Observations[i].Transmitter)
	}
	dst = e.appendColumn(dst, 5, f, func(o *schema.Observation) uint64 { return e.table[o.Transmitter] })
	dst = e.appendColumn(dst, 6, f, func(o *schema.Observation) uint64 { return protowire.EncodeZigZag(int64(o.At - f.SentAt)) })
	dst = e.appendColumn(dst, 7, f, func(o *schema.Observation) uint64 { return protowire.EncodeZigZag(int64(o.RSSI)) })
	for _, d := range f.Details {
		dst = e.appendDetail(dst, d)
	}
	return dst
}

func (e *Encoder) appendDetail(dst []byte, d schema.Detail) []byte {
	b := protowire.AppendTag(e.body[:0], 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(d.Index))
	if d.Battery >= 0 {
		b = protowire.AppendTag(b, 2, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(d.Battery))
	}
	if d.Address != (schema.Address{}) {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendBytes(b, d.Address[:])
	}
	e.body = b
	dst = protowire.AppendTag(dst, 9, protowire.BytesType)
	return protowire.AppendBytes(dst, b)
}

func (e *Encoder) appendTransmitter(dst []byte, t schema.Transmitter) []byte {
	if _, seen := e.table[t]; seen {
		return dst
	}
	e.table[t] = uint64(len(e.table))
	id := t.ID[:]
	if t.Kind == schema.TransmitterMAC {
		id = id[:6]
	}
	b := protowire.AppendTag(e.body[:0], 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(t.Kind))
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendBytes(b, id)
	if t.Kind == schema.TransmitterIBeacon {
		b = protowire.AppendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(t.Major))
		b = protowire.AppendTag(b, 4, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(t.Minor))
	}
	e.body = b
	dst = protowire.AppendTag(dst, 4, protowire.BytesType)
	return protowire.AppendBytes(dst, b)
}

func (e *Encoder) appendColumn(dst []byte, num protowire.Number, f schema.Frame, value func(*schema.Observation) uint64) []byte {
	col := e.col[:0]
	for i := range f.Observations {
		col = protowire.AppendVarint(col, value(&f.Observations[i]))
	}
	e.col = col
	dst = protowire.AppendTag(dst, num, protowire.BytesType)
	return protowire.AppendBytes(dst, col)
}

// AppendFrames appends a [wirepb.Frames] of the encoded frames, as a POST
// carries it.
func AppendFrames(dst []byte, frames ...[]byte) []byte {
	for _, f := range frames {
		dst = protowire.AppendTag(dst, 1, protowire.BytesType)
		dst = protowire.AppendBytes(dst, f)
	}
	return dst
}

// AppendFramesMessage appends a [wirepb.ToEngine] with the encoded frames, as
// the WebSocket carries it.
func AppendFramesMessage(dst []byte, frames ...[]byte) []byte {
	size := 0
	for _, f := range frames {
		size += protowire.SizeTag(1) + protowire.SizeBytes(len(f))
	}
	dst = protowire.AppendTag(dst, 2, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	return AppendFrames(dst, frames...)
}
