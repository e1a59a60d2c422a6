package wire

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"mybeacon/schema"
	"mybeacon/schema/wire/wirepb"
)

// maxControlBytes bounds hello, dropped, ping and report, which hold a few short words.
const maxControlBytes = 4 << 10

// Decoder reads the messages of one device. Frames are decoded by hand, straight
// into [schema.Frame]: generated code would allocate for a message before
// anybody could count its elements. Not safe for concurrent use.
type Decoder struct {
	limits Limits
	device schema.DeviceID

	// Reused from frame to frame; nothing of them leaves the decoder.
	transmitters []schema.Transmitter
	index        []uint64
	delta        []uint64
	rssi         []uint64
	details      []schema.Detail
	bootID       string // the last one, since a message's frames mostly share it
}

// NewDecoder returns a decoder for the frames of the device.
func NewDecoder(limits Limits, device schema.DeviceID) *Decoder {
	return &Decoder{limits: limits, device: device}
}

// Inbound is one message of the device's WebSocket: exactly one of Control and
// Frames is meant, Control when it is set.
type Inbound struct {
	Control *wirepb.ToEngine // hello, dropped or ping
	Frames  Message
}

// Message reads one [wirepb.ToEngine]. The error is an [*Error]; the connection
// can go on after it.
func (d *Decoder) Message(b []byte) (Inbound, error) {
	if len(b) > d.limits.MessageBytes {
		return Inbound{}, refuse(MessageTooLarge, nil)
	}
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 || typ != protowire.BytesType {
		return Inbound{}, refuse(MessageMalformed, protowire.ParseError(n))
	}
	body, m := protowire.ConsumeBytes(b[n:])
	if m < 0 || n+m != len(b) {
		// A oneof has one member; a second one would be a second message.
		return Inbound{}, refuse(MessageMalformed, protowire.ParseError(m))
	}
	if num == 2 {
		msg, err := d.Frames(body)
		return Inbound{Frames: msg}, err
	}
	return d.control(b)
}

func (d *Decoder) control(b []byte) (Inbound, error) {
	if len(b) > maxControlBytes {
		return Inbound{}, refuse(MessageTooLarge, nil)
	}
	msg := new(wirepb.ToEngine)
	if err := proto.Unmarshal(b, msg); err != nil {
		return Inbound{}, refuse(MessageMalformed, err)
	}
	if msg.Body == nil {
		return Inbound{}, refuse(MessageMalformed, nil)
	}
	return Inbound{Control: msg}, nil
}

// Frames reads one [wirepb.Frames], the body of a protobuf POST. The error is
// an [*Error] and nothing was taken then.
func (d *Decoder) Frames(b []byte) (Message, error) {
	var out Message
	if len(b) > d.limits.UnpackedBytes {
		return out, refuse(MessageTooLarge, nil)
	}
	var frames, observations int
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return Message{}, refuse(MessageMalformed, protowire.ParseError(n))
		}
		b = b[n:]
		if num != 1 || typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				return Message{}, refuse(MessageMalformed, protowire.ParseError(n))
			}
			b = b[n:]
			continue
		}
		body, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return Message{}, refuse(MessageMalformed, protowire.ParseError(n))
		}
		b = b[n:]
		if frames++; frames > d.limits.Frames {
			return Message{}, refuse(TooManyFrames, nil)
		}
		observations += d.frame(body, &out)
		if observations > d.limits.Observations {
			return Message{}, refuse(TooManyObservations, nil)
		}
	}
	return out, nil
}

// frame reads one frame into out and returns how many observations it had.
func (d *Decoder) frame(b []byte, out *Message) int {
	raw, reason := d.rawFrame(b)
	if reason == 0 {
		reason = d.checkFrame(&raw)
	}
	if reason != 0 {
		out.Refused = append(out.Refused, Rejection{BootID: raw.BootID, Seq: raw.Seq, Index: WholeFrame, Reason: reason})
		return 0
	}
	raw.Observations = d.observations(raw.SentAt)
	raw.Details = inOrder(d.details, len(raw.Observations))
	out.Frames = append(out.Frames, raw.Frame)
	return len(raw.Observations)
}

// rawFrame is a frame whose columns still stand in the decoder.
type rawFrame struct {
	schema.Frame
	device []byte
}

// rawFrame takes the fields apart. A reason that comes with a BootID and a Seq
// can be told to the sender precisely.
func (d *Decoder) rawFrame(b []byte) (f rawFrame, reason Reason) {
	d.transmitters, d.index, d.delta, d.rssi, d.details = d.transmitters[:0], d.index[:0], d.delta[:0], d.rssi[:0], d.details[:0]
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return f, FrameMalformed
		}
		b = b[n:]
		var failed Reason
		if n, failed = d.field(num, typ, b, &f); n < 0 {
			return f, FrameMalformed
		}
		if failed != 0 && reason == 0 {
			reason = failed // keep reading: the seq may still come
		}
		b = b[n:]
	}
	return f, reason
}

func (d *Decoder) field(num protowire.Number, typ protowire.Type, b []byte, f *rawFrame) (n int, reason Reason) {
	switch {
	case num == 1 && typ == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		if n >= 0 {
			reason = d.setBootID(f, v)
		}
		return n, reason
	case num == 2 && typ == protowire.VarintType:
		f.Seq, n = protowire.ConsumeVarint(b)
		return n, 0
	case num == 3 && typ == protowire.VarintType:
		v, n := protowire.ConsumeVarint(b)
		f.SentAt = schema.EventTime(v)
		return n, 0
	case num == 4 && typ == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		if n >= 0 {
			reason = d.addTransmitter(v)
		}
		return n, reason
	case num == 5:
		return d.column(&d.index, num, typ, b)
	case num == 6:
		return d.column(&d.delta, num, typ, b)
	case num == 7:
		return d.column(&d.rssi, num, typ, b)
	case num == 8 && typ == protowire.BytesType:
		f.device, n = protowire.ConsumeBytes(b)
		return n, 0
	case num == 9 && typ == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		if n >= 0 {
			reason = d.addDetail(v)
		}
		return n, reason
	default:
		return protowire.ConsumeFieldValue(num, typ, b), 0
	}
}

func (d *Decoder) setBootID(f *rawFrame, v []byte) Reason {
	if string(v) != d.bootID {
		if len(v) > 64 || !utf8.Valid(v) || !ValidBootID(string(v)) {
			f.BootID = ""
			return BootIDInvalid
		}
		d.bootID = string(v)
	}
	f.BootID = d.bootID
	return 0
}

// column appends the packed or single varints of one array.
func (d *Decoder) column(col *[]uint64, num protowire.Number, typ protowire.Type, b []byte) (n int, reason Reason) {
	switch typ {
	case protowire.VarintType:
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return n, 0
		}
		return n, d.push(col, v)
	case protowire.BytesType:
		packed, n := protowire.ConsumeBytes(b)
		for len(packed) > 0 && n >= 0 {
			v, m := protowire.ConsumeVarint(packed)
			if m < 0 {
				return m, 0
			}
			if reason := d.push(col, v); reason != 0 {
				return n, reason
			}
			packed = packed[m:]
		}
		return n, 0
	default:
		return protowire.ConsumeFieldValue(num, typ, b), 0
	}
}

func (d *Decoder) push(col *[]uint64, v uint64) Reason {
	if len(*col) >= d.limits.FrameLength {
		return FrameTooLong
	}
	*col = append(*col, v)
	return 0
}

func (d *Decoder) addTransmitter(b []byte) Reason {
	if len(d.transmitters) >= d.limits.FrameLength {
		return TransmittersTooMany
	}
	t, ok := transmitter(b)
	if !ok {
		return FrameMalformed
	}
	d.transmitters = append(d.transmitters, t)
	return 0
}

// transmitter reads one row of the table. An identity that is none is the zero
// transmitter: only the observations that use it are refused.
func transmitter(b []byte) (t schema.Transmitter, ok bool) {
	var kind, major, minor uint64
	var id []byte
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return t, false
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			kind, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.BytesType:
			id, n = protowire.ConsumeBytes(b)
		case num == 3 && typ == protowire.VarintType:
			major, n = protowire.ConsumeVarint(b)
		case num == 4 && typ == protowire.VarintType:
			minor, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return t, false
		}
		b = b[n:]
	}
	return identity(kind, id, major, minor), true
}

func identity(kind uint64, id []byte, major, minor uint64) (t schema.Transmitter) {
	switch {
	case kind == uint64(schema.TransmitterMAC) && len(id) == 6,
		kind == uint64(schema.TransmitterEddystoneUID) && len(id) == 16:
	case kind == uint64(schema.TransmitterIBeacon) && len(id) == 16 && major <= math.MaxUint16 && minor <= math.MaxUint16:
		t.Major, t.Minor = uint16(major), uint16(minor)
	default:
		return schema.Transmitter{}
	}
	t.Kind = schema.TransmitterKind(kind)
	copy(t.ID[:], id)
	return t
}

func (d *Decoder) checkFrame(f *rawFrame) Reason {
	switch {
	case f.BootID == "":
		return BootIDInvalid
	case f.Seq == 0:
		return SeqInvalid
	case len(f.device) != 0 && string(f.device) != string(d.device[:]):
		return DeviceForeign
	case len(d.index) != len(d.delta) || len(d.index) != len(d.rssi):
		return ColumnsUnequal
	default:
		return 0
	}
}

func (d *Decoder) observations(sentAt schema.EventTime) []schema.Observation {
	if len(d.index) == 0 {
		return nil
	}
	out := make([]schema.Observation, len(d.index))
	for i := range out {
		o := &out[i]
		o.At = addMillis(sentAt, protowire.DecodeZigZag(d.delta[i]))
		o.RSSI = centiDBm(protowire.DecodeZigZag(d.rssi[i]))
		if k := d.index[i]; k < uint64(len(d.transmitters)) {
			o.Transmitter = d.transmitters[k]
		}
	}
	return out
}
