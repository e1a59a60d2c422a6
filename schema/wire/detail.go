package wire

import (
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"mybeacon/schema"
)

// addDetail reads one [wirepb.Detail].
func (d *Decoder) addDetail(b []byte) Reason {
	if len(d.details) >= d.limits.FrameLength {
		return FrameTooLong
	}
	index, battery := uint64(0), uint64(math.MaxUint64)
	var address []byte
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return FrameMalformed
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			index, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.VarintType:
			battery, n = protowire.ConsumeVarint(b)
		case num == 3 && typ == protowire.BytesType:
			address, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return FrameMalformed
		}
		b = b[n:]
	}
	if detail, ok := detailOf(index, battery, address); ok {
		d.details = append(d.details, detail)
	}
	return 0
}

// detailOf returns what of it can be; ok is false when nothing can.
func detailOf(index, battery uint64, address []byte) (detail schema.Detail, ok bool) {
	detail.Battery = schema.NoBattery
	if battery <= 100 {
		detail.Battery = int8(battery)
	}
	if len(address) == len(detail.Address) {
		detail.Address = schema.Address(address)
	}
	detail.Index = uint16(index)
	ok = index <= math.MaxUint16 && (detail.Battery != schema.NoBattery || detail.Address != schema.Address{})
	return detail, ok
}

// inOrder returns the details of a frame of so many observations by their index, of
// several of one observation the first.
func inOrder(details []schema.Detail, observations int) []schema.Detail {
	if len(details) == 0 {
		return nil
	}
	out := slices.DeleteFunc(slices.Clone(details), func(d schema.Detail) bool { return int(d.Index) >= observations })
	slices.SortStableFunc(out, func(a, b schema.Detail) int { return int(a.Index) - int(b.Index) })
	out = slices.CompactFunc(out, func(a, b schema.Detail) bool { return a.Index == b.Index })
	if len(out) == 0 {
		return nil
	}
	return out
}
