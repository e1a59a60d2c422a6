package columnar

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/schema"
)

// Fixes builds records of the table fixes.
type Fixes struct {
	columns
	org, tag, location, plan, zone, receiver *array.FixedSizeBinaryBuilder
	at                                       *array.TimestampBuilder
	x, y, accuracy                           *array.Float32Builder
	rssi                                     *array.Int16Builder
	receivers                                *array.Uint8Builder
	validFor                                 *array.Uint32Builder
	rev                                      *array.Uint64Builder
	keepDays                                 *array.Uint16Builder
}

// NewFixes returns an empty builder that takes its memory from mem.
func NewFixes(mem memory.Allocator) *Fixes {
	b := &Fixes{columns: newColumns(mem, FixesSchema())}
	b.org, b.tag, b.at, b.location, b.plan = b.uuid(), b.uuid(), b.time(), b.uuid(), b.uuid()
	b.x, b.y, b.accuracy = b.float32(), b.float32(), b.float32()
	b.zone, b.receiver, b.rssi = b.uuid(), b.uuid(), b.int16()
	b.receivers, b.validFor = b.uint8(), b.uint32()
	b.rev, b.keepDays = b.uint64(), b.uint16()
	return b
}

// Append adds one row. ValidFor is cut to what 32 bits of milliseconds hold.
func (b *Fixes) Append(f schema.Fix) {
	b.reserve(1)
	b.org.Append(f.Organisation[:])
	b.tag.Append(f.Tag[:])
	b.at.UnsafeAppend(arrow.Timestamp(f.At))
	b.location.Append(f.Location[:])
	b.plan.Append(f.Plan[:])
	b.x.UnsafeAppend(float32(f.X))
	b.y.UnsafeAppend(float32(f.Y))
	b.accuracy.UnsafeAppend(float32(f.AccuracyM))
	b.zone.Append(f.Zone[:])
	b.receiver.Append(f.Receiver[:])
	b.rssi.UnsafeAppend(int16(f.RSSI))
	b.receivers.UnsafeAppend(f.Receivers)
	b.validFor.UnsafeAppend(uint32(min(max(f.ValidFor.Milliseconds(), 0), math.MaxUint32)))
	b.rev.UnsafeAppend(f.Rev)
	b.keepDays.UnsafeAppend(f.KeepDays)
}

// Visits builds records of the table zone_visits.
type Visits struct {
	columns
	org, tag, id, location, plan, zone *array.FixedSizeBinaryBuilder
	enteredAt, leftAt                  *array.TimestampBuilder
	rev                                *array.Uint64Builder
	keepDays                           *array.Uint16Builder
}

// NewVisits returns an empty builder that takes its memory from mem.
func NewVisits(mem memory.Allocator) *Visits {
	b := &Visits{columns: newColumns(mem, VisitsSchema())}
	b.org, b.tag, b.enteredAt, b.id = b.uuid(), b.uuid(), b.time(), b.uuid()
	b.location, b.plan, b.zone = b.uuid(), b.uuid(), b.uuid()
	b.leftAt, b.rev, b.keepDays = b.time(), b.uint64(), b.uint16()
	return b
}

// Append adds one row; an open visit has no left_at.
func (b *Visits) Append(v schema.Visit) {
	b.reserve(1)
	b.org.Append(v.Organisation[:])
	b.tag.Append(v.Tag[:])
	b.enteredAt.UnsafeAppend(arrow.Timestamp(v.EnteredAt))
	b.id.Append(v.ID[:])
	b.location.Append(v.Location[:])
	b.plan.Append(v.Plan[:])
	b.zone.Append(v.Zone[:])
	if v.LeftAt.IsZero() {
		b.leftAt.UnsafeAppendBoolToBitmap(false)
	} else {
		b.leftAt.UnsafeAppend(arrow.Timestamp(v.LeftAt))
	}
	b.rev.UnsafeAppend(v.Rev)
	b.keepDays.UnsafeAppend(v.KeepDays)
}
