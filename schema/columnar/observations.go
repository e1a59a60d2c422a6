package columnar

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/schema"
)

// Observations builds records of the table observations.
type Observations struct {
	columns
	org, device                   *array.FixedSizeBinaryBuilder
	at, arrivedAt                 *array.TimestampBuilder
	bootID                        *words[string]
	seq                           *array.Uint64Builder
	idx, keepDays                 *array.Uint16Builder
	tag, receiver, location, plan *array.FixedSizeBinaryBuilder
	transmitter                   *words[schema.Transmitter]
	rssi                          *array.Int16Builder
	late                          *array.BooleanBuilder
}

// NewObservations returns an empty builder that takes its memory from mem.
func NewObservations(mem memory.Allocator) *Observations {
	b := &Observations{columns: newColumns(mem, ObservationsSchema())}
	b.org, b.device, b.at = b.uuid(), b.uuid(), b.time()
	b.bootID = addWords(&b.columns, func(s string) string { return s })
	b.seq, b.idx = b.uint64(), b.uint16()
	b.tag = b.uuid()
	b.transmitter = addWords(&b.columns, schema.Transmitter.String)
	b.rssi = b.int16()
	b.receiver, b.location, b.plan = b.uuid(), b.uuid(), b.uuid()
	b.late = b.bool()
	b.arrivedAt, b.keepDays = b.time(), b.uint16()
	return b
}

// Append adds one row per observation of the frame; an empty frame adds none.
func (b *Observations) Append(f schema.FrameAdmitted) {
	b.reserve(len(f.Observations))
	arrived := arrow.Timestamp(f.ArrivedAt.UnixMilli())
	for i := range f.Observations {
		o := &f.Observations[i]
		b.org.Append(f.Organisation[:])
		b.device.Append(f.Device[:])
		b.at.UnsafeAppend(arrow.Timestamp(o.At))
		b.bootID.append(f.BootID)
		b.seq.UnsafeAppend(f.Seq)
		b.idx.UnsafeAppend(f.Indexes[i])
		b.tag.Append(o.Tag[:])
		b.transmitter.append(o.Transmitter)
		b.rssi.UnsafeAppend(int16(o.RSSI))
		b.receiver.Append(f.Receiver[:])
		b.location.Append(f.Location[:])
		b.plan.Append(f.Plan[:])
		b.late.UnsafeAppend(o.Late)
		b.arrivedAt.UnsafeAppend(arrived)
		b.keepDays.UnsafeAppend(f.KeepDays)
	}
}
