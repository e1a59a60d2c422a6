package clickhouse

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/google/uuid"
)

// slice returns the column's values in the form that clickhouse-go appends
// whole. Fixed-width values are the record's own memory under another type; the
// client copies them before the insert returns.
func slice(col arrow.Array) (any, error) {
	if col.NullN() > 0 {
		return nullable(col)
	}
	switch c := col.(type) {
	case *array.FixedSizeBinary:
		return uuids(c)
	case *array.Timestamp:
		return recast[int64](c.TimestampValues()), nil
	case *array.Dictionary:
		return words(c)
	case *array.Uint64:
		return c.Uint64Values(), nil
	case *array.Uint32:
		return c.Uint32Values(), nil
	case *array.Uint16:
		return c.Uint16Values(), nil
	case *array.Uint8:
		return c.Uint8Values(), nil
	case *array.Int16:
		return c.Int16Values(), nil
	case *array.Float32:
		return c.Float32Values(), nil
	case *array.Boolean:
		return bools(c), nil
	default:
		return nil, fmt.Errorf("no ClickHouse form of %s", col.DataType())
	}
}

// recast views values under another type of the same size and alignment.
func recast[To, From any](values []From) []To {
	return unsafe.Slice((*To)(unsafe.Pointer(unsafe.SliceData(values))), len(values))
}

func uuids(c *array.FixedSizeBinary) ([]uuid.UUID, error) {
	data := c.Data()
	if width := c.DataType().(*arrow.FixedSizeBinaryType).ByteWidth; width != len(uuid.UUID{}) {
		return nil, fmt.Errorf("%d bytes are no UUID", width)
	}
	if c.Len() == 0 {
		return nil, nil
	}
	raw := data.Buffers()[1].Bytes()[data.Offset()*len(uuid.UUID{}):]
	return unsafe.Slice((*uuid.UUID)(unsafe.Pointer(unsafe.SliceData(raw))), c.Len()), nil
}

func words(c *array.Dictionary) ([]string, error) {
	values, ok := c.Dictionary().(*array.String)
	if !ok {
		return nil, fmt.Errorf("a dictionary of %s has no ClickHouse form", c.Dictionary().DataType())
	}
	out := make([]string, c.Len())
	for i := range out {
		out[i] = values.Value(c.GetValueIndex(i))
	}
	return out, nil
}

func bools(c *array.Boolean) []bool {
	out := make([]bool, c.Len())
	for i := range out {
		out[i] = c.Value(i)
	}
	return out
}

// nullable returns pointers, nil where the column is null. Only times may be
// absent in this project's tables.
func nullable(col arrow.Array) (any, error) {
	c, ok := col.(*array.Timestamp)
	if !ok {
		return nil, fmt.Errorf("%s may not be null", col.DataType())
	}
	values := recast[int64](c.TimestampValues())
	out := make([]*int64, len(values))
	for i := range values {
		if c.IsValid(i) {
			out[i] = &values[i]
		}
	}
	return out, nil
}
