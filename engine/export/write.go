package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"mime"
	"strings"
	"time"

	"mybeacon/schema"
)

// Format is how rows are written.
type Format string

// The formats.
const (
	CSV     Format = "csv"     // RFC 4180 in UTF-8, with a head; null is an empty cell
	JSON    Format = "json"    // an array of objects
	NDJSON  Format = "ndjson"  // an object per line
	Parquet Format = "parquet" // typed columns, groups of at most 65,536 rows, zstd
)

// Formats returns all formats.
func Formats() []Format { return []Format{CSV, JSON, NDJSON, Parquet} }

// ParseFormat reads a format's name.
func ParseFormat(text string) (Format, error) {
	for _, f := range Formats() {
		if string(f) == text {
			return f, nil
		}
	}
	return "", schema.Errorf(schema.Invalid, "format", "is %q: choose csv, json, ndjson or parquet", text)
}

// Media returns the format's media type.
func (f Format) Media() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case JSON:
		return "application/json"
	case NDJSON:
		return "application/x-ndjson"
	}
	return "application/vnd.apache.parquet"
}

// Result is what was written.
type Result struct {
	Rows   int64
	Bytes  int64
	SHA256 string // hexadecimal, of the bytes
}

// Write writes all rows and returns what was written. After an error the Result tells
// how far it came: rows given to the writer, bytes that left it, and their hash. An
// error of rows is returned as it is, so that a caller can tell it from w's.
//
// Text that a spreadsheet would take for a formula gets an apostrophe before it in CSV;
// numbers, times and ids stay what they are. Text that is no UTF-8 is mended.
func Write(w io.Writer, f Format, columns []Column, rows Rows) (Result, error) {
	out := &tally{to: w, hash: sha256.New()}
	e, err := newEncoder(out, f, columns)
	if err != nil {
		return out.result(0), err
	}
	n, err := encode(e, columns, rows)
	if err == nil {
		err = e.end()
	}
	return out.result(n), err
}

// encoder writes rows in one format. Cells are valid until the call ends.
type encoder interface {
	row(cells []cell) error
	end() error
}

func newEncoder(w io.Writer, f Format, columns []Column) (encoder, error) {
	switch f {
	case CSV:
		return newCSV(w, columns), nil
	case JSON:
		return newJSON(w, columns, true), nil
	case NDJSON:
		return newJSON(w, columns, false), nil
	case Parquet:
		return newParquet(w, columns)
	}
	_, err := ParseFormat(string(f))
	return nil, err
}

func encode(e encoder, columns []Column, rows Rows) (n int64, err error) {
	cells := make([]cell, len(columns))
	for rows.Next() {
		values := rows.Values()
		if len(values) != len(columns) {
			return n, fmt.Errorf("export: row %d has %d values for %d columns", n+1, len(values), len(columns))
		}
		for i, v := range values {
			if cells[i], err = cellOf(columns[i], v); err != nil {
				return n, fmt.Errorf("export: row %d: %w", n+1, err)
			}
		}
		if err := e.row(cells); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// tally counts and hashes what passes.
type tally struct {
	to   io.Writer
	n    int64
	hash hash.Hash
}

// Write implements [io.Writer].
func (t *tally) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.hash.Write(p[:n])
	t.n += int64(n)
	return n, err
}

func (t *tally) result(rows int64) Result {
	return Result{Rows: rows, Bytes: t.n, SHA256: hex.EncodeToString(t.hash.Sum(nil))}
}

// Disposition returns the header that names a dataset's file: "ble-visits-2026-01-31.csv".
func Disposition(dataset string, f Format, at time.Time) string {
	name := strings.ReplaceAll(dataset, "/", "-") + "-" + at.UTC().Format(time.DateOnly) + "." + string(f)
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}
