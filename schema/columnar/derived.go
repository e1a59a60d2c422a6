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
	x, y, accuracy, accuracy95, zoneP        *array.Float32Builder
	rssi                                     *array.Int16Builder
	receivers, deleted                       *array.Uint8Builder
	validFor                                 *array.Uint32Builder
	rev                                      *array.Uint64Builder
	keepDays                                 *array.Uint16Builder
}

// NewFixes returns an empty builder that takes its memory from mem.
func NewFixes(mem memory.Allocator) *Fixes {
	b := &Fixes{columns: newColumns(mem, FixesSchema())}
	b.org, b.tag, b.at, b.location, b.plan = b.uuid(), b.uuid(), b.time(), b.uuid(), b.uuid()
	b.x, b.y, b.accuracy, b.accuracy95 = b.float32(), b.float32(), b.float32(), b.float32()
	b.zone, b.zoneP, b.receiver, b.rssi = b.uuid(), b.float32(), b.uuid(), b.int16()
	b.receivers, b.validFor = b.uint8(), b.uint32()
	b.rev, b.deleted, b.keepDays = b.uint64(), b.uint8(), b.uint16()
	return b
}

// Append adds one row. ValidFor is cut to what 32 bits of milliseconds hold.
func (b *Fixes) Append(f schema.Fix) { b.append(f, 0) }

// Retract adds one row that takes the fix of the same tag and second back.
func (b *Fixes) Retract(f schema.Fix) { b.append(f, 1) }

func (b *Fixes) append(f schema.Fix, deleted uint8) {
	b.reserve(1)
	b.org.Append(f.Organisation[:])
	b.tag.Append(f.Tag[:])
	b.at.UnsafeAppend(arrow.Timestamp(f.At))
	b.location.Append(f.Location[:])
	b.plan.Append(f.Plan[:])
	b.x.UnsafeAppend(float32(f.X))
	b.y.UnsafeAppend(float32(f.Y))
	b.accuracy.UnsafeAppend(float32(f.AccuracyM))
	b.accuracy95.UnsafeAppend(float32(f.Accuracy95M))
	b.zone.Append(f.Zone[:])
	b.zoneP.UnsafeAppend(float32(f.ZoneP))
	b.receiver.Append(f.Receiver[:])
	b.rssi.UnsafeAppend(int16(f.RSSI))
	b.receivers.UnsafeAppend(f.Receivers)
	b.validFor.UnsafeAppend(uint32(min(max(f.ValidFor.Milliseconds(), 0), math.MaxUint32)))
	b.rev.UnsafeAppend(f.Rev)
	b.deleted.UnsafeAppend(deleted)
	b.keepDays.UnsafeAppend(f.KeepDays)
}

// Visits builds records of the table zone_visits.
type Visits struct {
	columns
	org, tag, id, location, plan, zone, parent *array.FixedSizeBinaryBuilder
	enteredAt, leftAt                          *array.TimestampBuilder
	rev                                        *array.Uint64Builder
	deleted                                    *array.Uint8Builder
	keepDays                                   *array.Uint16Builder
}

// NewVisits returns an empty builder that takes its memory from mem.
func NewVisits(mem memory.Allocator) *Visits {
	b := &Visits{columns: newColumns(mem, VisitsSchema())}
	b.org, b.tag, b.enteredAt, b.id = b.uuid(), b.uuid(), b.time(), b.uuid()
	b.location, b.plan, b.zone, b.parent = b.uuid(), b.uuid(), b.uuid(), b.uuid()
	b.leftAt, b.rev, b.deleted, b.keepDays = b.time(), b.uint64(), b.uint8(), b.uint16()
	return b
}

// Append adds one row; an open visit has no left_at.
func (b *Visits) Append(v schema.Visit) { b.append(v, 0) }

// Retract adds one row that takes the visit back.
func (b *Visits) Retract(v schema.Visit) { b.append(v, 1) }

func (b *Visits) append(v schema.Visit, deleted uint8) {
	b.reserve(1)
	b.org.Append(v.Organisation[:])
	b.tag.Append(v.Tag[:])
	b.enteredAt.UnsafeAppend(arrow.Timestamp(v.EnteredAt))
	b.id.Append(v.ID[:])
	b.location.Append(v.Location[:])
	b.plan.Append(v.Plan[:])
	b.zone.Append(v.Zone[:])
	b.parent.Append(v.Parent[:])
	if v.LeftAt.IsZero() {
		b.leftAt.UnsafeAppendBoolToBitmap(false)
	} else {
		b.leftAt.UnsafeAppend(arrow.Timestamp(v.LeftAt))
	}
	b.rev.UnsafeAppend(v.Rev)
	b.deleted.UnsafeAppend(deleted)
	b.keepDays.UnsafeAppend(v.KeepDays)
}

// Learned is what was learned of a plan's receivers, with the revision of its rows.
type Learned struct {
	schema.Offsets
	Rev uint64
}

// Offsets builds records of the table receiver_offsets.
type Offsets struct {
	columns
	org, plan, receiver, location *array.FixedSizeBinaryBuilder
	from                          *array.TimestampBuilder
	offset                        *array.Int16Builder
	rev                           *array.Uint64Builder
	keepDays                      *array.Uint16Builder
}

// NewOffsets returns an empty builder that takes its memory from mem.
func NewOffsets(mem memory.Allocator) *Offsets {
	b := &Offsets{columns: newColumns(mem, OffsetsSchema())}
	b.org, b.plan, b.from, b.receiver, b.location = b.uuid(), b.uuid(), b.time(), b.uuid(), b.uuid()
	b.offset, b.rev, b.keepDays = b.int16(), b.uint64(), b.uint16()
	return b
}

// Append adds one row per receiver, or one of no receiver when there is none: that
// no offset is in force any more is news too.
func (b *Offsets) Append(o Learned) {
	receivers := o.Receivers
	if len(receivers) == 0 {
		receivers = []schema.ReceiverOffset{{}}
	}
	b.reserve(len(receivers))
	for _, r := range receivers {
		b.org.Append(o.Organisation[:])
		b.plan.Append(o.Plan[:])
		b.from.UnsafeAppend(arrow.Timestamp(o.From))
		b.receiver.Append(r.Receiver[:])
		b.location.Append(o.Location[:])
		b.offset.UnsafeAppend(int16(r.Offset))
		b.rev.UnsafeAppend(o.Rev)
		b.keepDays.UnsafeAppend(o.KeepDays)
	}
}
