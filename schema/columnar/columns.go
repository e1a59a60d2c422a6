package columnar

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// column is what a table's builder needs of each of its columns.
type column struct {
	reserve  func(int)
	newArray func() arrow.Array
	release  func()
}

// columns is the part that all builders share: the columns in the order of the
// schema.
type columns struct {
	mem    memory.Allocator
	schema *arrow.Schema
	list   []column
	rows   int
}

func newColumns(mem memory.Allocator, schema *arrow.Schema) columns {
	return columns{mem: mem, schema: schema}
}

// Schema returns the schema of the records.
func (c *columns) Schema() *arrow.Schema { return c.schema }

// Len returns how many rows the next record will have.
func (c *columns) Len() int { return c.rows }

// reserve makes room for n rows, which the caller appends without further
// checks.
func (c *columns) reserve(n int) {
	for _, col := range c.list {
		col.reserve(n)
	}
	c.rows += n
}

// NewRecord returns the rows appended so far; the builder is empty then. The
// caller releases the record.
func (c *columns) NewRecord() arrow.Record {
	arrays := make([]arrow.Array, len(c.list))
	for i, col := range c.list {
		arrays[i] = col.newArray()
		defer arrays[i].Release()
	}
	rows := c.rows
	c.rows = 0
	return array.NewRecord(c.schema, arrays, int64(rows))
}

// Release gives the memory of rows back that no record was made of.
func (c *columns) Release() {
	for _, col := range c.list {
		col.release()
	}
}

func add[B array.Builder](c *columns, b B) B {
	c.list = append(c.list, column{b.Reserve, b.NewArray, b.Release})
	return b
}

func addWords[K comparable](c *columns, render func(K) string) *words[K] {
	w := newWords(c.mem, render)
	c.list = append(c.list, column{w.keys.Reserve, w.newArray, w.release})
	return w
}

// uuid's builder does not grow its values in Reserve (arrow v15), so rows are
// added by Append and not by UnsafeAppend.
func (c *columns) uuid() *array.FixedSizeBinaryBuilder {
	return add(c, array.NewFixedSizeBinaryBuilder(c.mem, &arrow.FixedSizeBinaryType{ByteWidth: 16}))
}

func (c *columns) time() *array.TimestampBuilder {
	return add(c, array.NewTimestampBuilder(c.mem, millis().(*arrow.TimestampType)))
}

func (c *columns) uint64() *array.Uint64Builder   { return add(c, array.NewUint64Builder(c.mem)) }
func (c *columns) uint32() *array.Uint32Builder   { return add(c, array.NewUint32Builder(c.mem)) }
func (c *columns) uint16() *array.Uint16Builder   { return add(c, array.NewUint16Builder(c.mem)) }
func (c *columns) uint8() *array.Uint8Builder     { return add(c, array.NewUint8Builder(c.mem)) }
func (c *columns) int16() *array.Int16Builder     { return add(c, array.NewInt16Builder(c.mem)) }
func (c *columns) float32() *array.Float32Builder { return add(c, array.NewFloat32Builder(c.mem)) }
func (c *columns) bool() *array.BooleanBuilder    { return add(c, array.NewBooleanBuilder(c.mem)) }
