package columnar

import (
	"github.com/apache/arrow/go/v15/arrow"
)

// typeKey is the metadata key of a field's ClickHouse type.
const typeKey = "clickhouse"

// ClickHouseType returns the type of the field's column as an INSERT declares
// it, or "" for a field that is none of this package's. LowCardinality is
// declared as plain String: the server folds it, and the client is spared a
// second dictionary.
func ClickHouseType(f arrow.Field) string {
	v, _ := f.Metadata.GetValue(typeKey)
	return v
}

func field(name string, typ arrow.DataType, clickhouse string) arrow.Field {
	return arrow.Field{Name: name, Type: typ, Metadata: arrow.NewMetadata([]string{typeKey}, []string{clickhouse})}
}

func uuidField(name string) arrow.Field {
	return field(name, &arrow.FixedSizeBinaryType{ByteWidth: 16}, "UUID")
}

func millis() arrow.DataType { return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"} }

func timeField(name string) arrow.Field { return field(name, millis(), "DateTime64(3, 'UTC')") }

func wordType() *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.BinaryTypes.String}
}

func wordField(name string) arrow.Field { return field(name, wordType(), "String") }

func uint64Field(name string) arrow.Field {
	return field(name, arrow.PrimitiveTypes.Uint64, "UInt64")
}

func uint16Field(name string) arrow.Field {
	return field(name, arrow.PrimitiveTypes.Uint16, "UInt16")
}

func uint8Field(name string) arrow.Field { return field(name, arrow.PrimitiveTypes.Uint8, "UInt8") }

func int16Field(name string) arrow.Field { return field(name, arrow.PrimitiveTypes.Int16, "Int16") }

func float32Field(name string) arrow.Field {
	return field(name, arrow.PrimitiveTypes.Float32, "Float32")
}

// The tables that records go to.
const (
	ObservationsTable = "observations"
	FixesTable        = "fixes"
	VisitsTable       = "zone_visits"
	OffsetsTable      = "receiver_offsets"
)

// ObservationsSchema returns the columns of a record of observations.
func ObservationsSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		uuidField("org"), uuidField("device"), timeField("at"), wordField("boot_id"), uint64Field("seq"), uint16Field("idx"),
		uuidField("tag"), wordField("transmitter"), int16Field("rssi_cdbm"), uuidField("receiver"), uuidField("location"), uuidField("plan"),
		field("late", arrow.FixedWidthTypes.Boolean, "Bool"), timeField("arrived_at"), uint16Field("keep_days"),
	}, nil)
}

// FixesSchema returns the columns of a record of fixes.
func FixesSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		uuidField("org"), uuidField("tag"), timeField("at"), uuidField("location"), uuidField("plan"),
		float32Field("x_m"), float32Field("y_m"), float32Field("accuracy_m"), float32Field("accuracy95_m"),
		uuidField("zone"), float32Field("zone_p"), uuidField("receiver"),
		int16Field("rssi_cdbm"), uint8Field("receivers"),
		field("valid_for_ms", arrow.PrimitiveTypes.Uint32, "UInt32"), uint64Field("rev"), uint8Field("is_deleted"), uint16Field("keep_days"),
	}, nil)
}

// VisitsSchema returns the columns of a record of visits.
func VisitsSchema() *arrow.Schema {
	leftAt := field("left_at", millis(), "Nullable(DateTime64(3, 'UTC'))")
	leftAt.Nullable = true
	return arrow.NewSchema([]arrow.Field{
		uuidField("org"), uuidField("tag"), timeField("entered_at"), uuidField("visit_id"), uuidField("location"), uuidField("plan"),
		uuidField("zone"), uuidField("parent"), leftAt, uint64Field("rev"), uint8Field("is_deleted"), uint16Field("keep_days"),
	}, nil)
}

// OffsetsSchema returns the columns of a record of receivers' offsets.
func OffsetsSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		uuidField("org"), uuidField("plan"), timeField("from_at"), uuidField("receiver"), uuidField("location"),
		int16Field("offset_cdb"), uint64Field("rev"), uint16Field("keep_days"),
	}, nil)
}
