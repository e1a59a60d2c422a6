// Package clickhouse stores Arrow records in ClickHouse, column by column, and
// reads back which frames are stored.
//
// It is safe for concurrent use. A record is only read and never kept.
package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/schema/columnar"
)

// Conn is what the sink needs of a connection pool of clickhouse-go.
type Conn interface {
	PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error)
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Sink inserts records. It implements batch.Sink and ingest.Stored.
type Sink struct {
	conn Conn
}

// New returns a sink that writes through the pool.
func New(conn Conn) *Sink { return &Sink{conn: conn} }

// Insert stores the record in the table: all of it or, on an error, perhaps.
// The server drops a record whose token it has seen within its last 1,000
// inserts, so that trying again is safe.
func (s *Sink) Insert(ctx context.Context, table string, rec arrow.Record, token string) error {
	names, types, err := declaration(rec.Schema())
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	ctx = clickhouse.Context(ctx,
		clickhouse.WithColumnNamesAndTypes(types), // no DESCRIBE before every insert
		clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}),
	)
	query := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")"
	batch, err := s.conn.PrepareBatch(ctx, query)
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	defer func() { _ = batch.Close() }() // gives the connection back after an error; nothing after Send
	for i, col := range rec.Columns() {
		values, err := slice(col)
		if err != nil {
			return fmt.Errorf("insert %s.%s: %w", table, names[i], err)
		}
		if err := batch.Column(i).Append(values); err != nil {
			return fmt.Errorf("insert %s.%s: %w", table, names[i], err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	return nil
}

// declaration returns the record's columns as the INSERT names them.
func declaration(s *arrow.Schema) ([]string, []clickhouse.ColumnNameAndType, error) {
	names := make([]string, s.NumFields())
	types := make([]clickhouse.ColumnNameAndType, s.NumFields())
	for i, f := range s.Fields() {
		typ := columnar.ClickHouseType(f)
		if typ == "" {
			return nil, nil, fmt.Errorf("column %s declares no type", f.Name)
		}
		names[i] = f.Name
		types[i] = clickhouse.ColumnNameAndType{Name: f.Name, Type: typ}
	}
	return names, types, nil
}
