package export

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// The bounds of a row group, which is in memory until it is written.
const (
	groupRows = 65_536
	groupText = 16 << 20 // bytes of its texts
)

// parquetEncoder gathers a row group and writes it.
type parquetEncoder struct {
	file    *pqarrow.FileWriter
	build   *array.RecordBuilder
	columns []Column
	rows    int
	text    int
}

func newParquet(w io.Writer, columns []Column) (*parquetEncoder, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: arrowType(c.Kind), Nullable: true}
	}
	columnar := arrow.NewSchema(fields, nil)
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy("MyBeacon"), parquet.WithMaxRowGroupLength(groupRows))
	file, err := pqarrow.NewFileWriter(columnar, unclosed{w}, props, pqarrow.NewArrowWriterProperties())
	if err != nil {
		return nil, fmt.Errorf("begin a Parquet file: %w", err)
	}
	return &parquetEncoder{file: file, build: array.NewRecordBuilder(memory.DefaultAllocator, columnar), columns: columns}, nil
}

// unclosed keeps the library from closing what is not its own.
type unclosed struct{ io.Writer }

func arrowType(k Kind) arrow.DataType {
	switch k {
	case Time:
		return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	case Integer:
		return arrow.PrimitiveTypes.Int64
	case Number:
		return arrow.PrimitiveTypes.Float64
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	}
	return arrow.BinaryTypes.String
}

func (e *parquetEncoder) row(cells []cell) error {
	for i, c := range cells {
		e.append(e.build.Field(i), e.columns[i].Kind, c)
	}
	if e.rows++; e.rows < groupRows && e.text < groupText {
		return nil
	}
	return e.group()
}

func (e *parquetEncoder) append(b array.Builder, k Kind, c cell) {
	if c.null {
		b.AppendNull()
		return
	}
	switch k {
	case Time:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(c.i))
	case Integer:
		b.(*array.Int64Builder).Append(c.i)
	case Number:
		b.(*array.Float64Builder).Append(c.f)
	case Bool:
		b.(*array.BooleanBuilder).Append(c.i == 1)
	default:
		b.(*array.StringBuilder).Append(c.text)
		e.text += len(c.text)
	}
}

// group writes what was gathered as one row group.
func (e *parquetEncoder) group() error {
	if e.rows == 0 {
		return nil
	}
	record := e.build.NewRecord()
	defer record.Release()
	e.rows, e.text = 0, 0
	if err := e.file.Write(record); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

func (e *parquetEncoder) end() error {
	defer e.build.Release()
	if err := e.group(); err != nil {
		return err
	}
	if err := e.file.Close(); err != nil {
		return fmt.Errorf("end a Parquet file: %w", err)
	}
	return nil
}
