package columnar

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/schema"
)

// QuarantineTable is where observations go whose times cannot be believed.
const QuarantineTable = "quarantine"

// quarantineDays is for how long they are kept: long enough to find the clock
// that is wrong.
const quarantineDays = 30

// maxTime is the last moment that the warehouse's times can hold safely,
// 2283-11-11; what is sent here may be anything.
const maxTime = 9_904_550_400_000

// QuarantineSchema returns the columns of a record of quarantined observations.
func QuarantineSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		uuidField("org"), uuidField("device"), timeField("at"), timeField("arrived_at"), wordField("boot_id"), uint64Field("seq"),
		uint16Field("idx"), wordField("reason"), wordField("transmitter"), int16Field("rssi_cdbm"), uint16Field("keep_days"),
	}, nil)
}

// Quarantine builds records of the table quarantine.
type Quarantine struct {
	columns
	org, device    *array.FixedSizeBinaryBuilder
	at, arrivedAt  *array.TimestampBuilder
	bootID, reason *words[string]
	seq            *array.Uint64Builder
	idx, keepDays  *array.Uint16Builder
	transmitter    *words[schema.Transmitter]
	rssi           *array.Int16Builder
}

// NewQuarantine returns an empty builder that takes its memory from mem.
func NewQuarantine(mem memory.Allocator) *Quarantine {
	same := func(s string) string { return s }
	b := &Quarantine{columns: newColumns(mem, QuarantineSchema())}
	b.org, b.device, b.at, b.arrivedAt = b.uuid(), b.uuid(), b.time(), b.time()
	b.bootID = addWords(&b.columns, same)
	b.seq, b.idx = b.uint64(), b.uint16()
	b.reason = addWords(&b.columns, same)
	b.transmitter = addWords(&b.columns, schema.Transmitter.String)
	b.rssi, b.keepDays = b.int16(), b.uint16()
	return b
}

// Append adds one row. Times are cut to what the column holds.
func (b *Quarantine) Append(q schema.Quarantined) {
	b.reserve(1)
	b.org.Append(q.Organisation[:])
	b.device.Append(q.Device[:])
	b.at.UnsafeAppend(arrow.Timestamp(min(max(q.At, 0), maxTime)))
	b.arrivedAt.UnsafeAppend(arrow.Timestamp(min(max(q.ArrivedAt, 0), maxTime)))
	b.bootID.append(q.BootID)
	b.seq.UnsafeAppend(q.Seq)
	b.idx.UnsafeAppend(q.Index)
	b.reason.append(q.Reason)
	b.transmitter.append(q.Transmitter)
	b.rssi.UnsafeAppend(int16(q.RSSI))
	b.keepDays.UnsafeAppend(quarantineDays)
}
