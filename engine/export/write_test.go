package export_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/export"
	"mybeacon/schema"
)

var columns = []export.Column{
	{Name: "name", Kind: export.Text}, {Name: "at", Kind: export.Time}, {Name: "n", Kind: export.Integer},
	{Name: "x_m", Kind: export.Number}, {Name: "open", Kind: export.Bool}, {Name: "id", Kind: export.UUID},
}

// list are rows in memory.
type list struct {
	rows [][]any
	at   int
	err  error
}

func of(rows ...[]any) *list     { return &list{rows: rows} }
func (l *list) Next() bool       { l.at++; return l.at <= len(l.rows) }
func (l *list) Values() []any    { return l.rows[l.at-1] }
func (l *list) Err() error       { return l.err }
func (l *list) Close() error     { return nil }
func at(ms int64) time.Time      { return time.UnixMilli(ms).In(time.FixedZone("", 3*3600)) }
func id(n byte) (u schema.TagID) { u[0], u[15] = 1, n; return u }

// sample has every kind, nulls, and texts that are hard on each format.
func sample() [][]any {
	rows := [][]any{
		{"Марья Ивановна", at(1_700_000_000_123), int64(-7), 1.5, true, id(1)},
		{nil, nil, nil, nil, nil, nil},
		{"", at(0), uint32(4), float32(0.1), false, [16]byte(id(2))},
		{"a,\"b\"\r\nc\nd\re", at(-1), math.MaxInt64, -1e-9, true, id(3).String()},
		{"NaN", at(1), 0, math.NaN(), true, id(4)},
		{"infinite", at(1), math.MinInt64, math.Inf(-1), true, id(5)},
		{"not \xff UTF-8 \x00 \u2028 <b>&", at(1), int8(-1), 1e300, true, id(6)},
	}
	for _, formula := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"} {
		rows = append(rows, []any{formula, at(5), -5, -0.25, false, id(7)})
	}
	return rows
}

// expected is what each cell must come back as, by any format.
func expected(rows [][]any) [][]string {
	var out [][]string
	for _, r := range rows {
		texts := make([]string, len(r))
		for i, v := range r {
			texts[i] = shown(v)
		}
		out = append(out, texts)
	}
	return out
}

func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case [16]byte:
		return schema.TagID(v).String()
	case float32:
		return fmt.Sprint(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "null"
		}
		return fmt.Sprint(v)
	}
	return strings.ToValidUTF8(fmt.Sprint(v), "\uFFFD")
}

func written(t *testing.T, f export.Format, rows export.Rows) ([]byte, export.Result) {
	t.Helper()
	var b bytes.Buffer
	result, err := export.Write(&b, f, columns, rows)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	if result.Bytes != int64(b.Len()) || result.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%s: %+v of %d bytes, sha256 %x", f, result, b.Len(), sum)
	}
	return b.Bytes(), result
}

// What was written comes back cell by cell.
func TestCSVComesBack(t *testing.T) {
	b, result := written(t, export.CSV, of(sample()...))
	got := parseCSV(t, string(b))
	if head := strings.Join(got[0], ","); head != "name,at,n,x_m,open,id" || result.Rows != int64(len(sample())) {
		t.Errorf("head %s, %+v", head, result)
	}
	want := expected(sample())
	for i := range want {
		for j := range want[i] {
			if j == 0 && want[i][j] != "" && strings.ContainsRune("=+-@\t\r", rune(want[i][j][0])) {
				want[i][j] = "'" + want[i][j] // text only: numbers stay numbers
			}
			if columns[j].Kind == export.Number && got[i+1][j] != "null" {
				var f float64
				if _, err := fmt.Sscan(got[i+1][j], &f); err != nil {
					t.Errorf("row %d: %q is no number", i, got[i+1][j])
				}
				got[i+1][j] = fmt.Sprint(f)
			}
		}
	}
	if diff := cmp.Diff(want, got[1:]); diff != "" {
		t.Error(diff)
	}
}

// parseCSV reads RFC 4180 as it is written there; the reader of the standard library
// changes line breaks in cells. An empty cell without quotes is null.
func parseCSV(t *testing.T, s string) (lines [][]string) {
	t.Helper()
	for s != "" {
		var line []string
		for {
			var cell string
			if rest, quoted := strings.CutPrefix(s, `"`); quoted {
				for {
					i := strings.IndexByte(rest, '"')
					cell, rest = cell+rest[:i], rest[i+1:]
					if !strings.HasPrefix(rest, `"`) {
						break
					}
					cell, rest = cell+`"`, rest[1:]
				}
				s = rest
			} else {
				i := strings.IndexAny(s, ",\r")
				if cell, s = s[:i], s[i:]; cell == "" {
					cell = "null"
				}
			}
			line = append(line, cell)
			if s[0] != ',' {
				break
			}
			s = s[1:]
		}
		rest, ok := strings.CutPrefix(s, "\r\n")
		if !ok {
			t.Fatalf("a line ends with %.20q", s)
		}
		lines, s = append(lines, line), rest
	}
	return lines
}

// The reader of the standard library, which many are like, reads the same lines.
func TestCSVForOthers(t *testing.T) {
	b, _ := written(t, export.CSV, of(sample()...))
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(lines) != len(sample())+1 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	one := []export.Column{{Name: "only", Kind: export.Text}}
	var out strings.Builder
	if _, err := export.Write(&out, export.CSV, one, of([]any{nil}, []any{"x"})); err != nil || out.String() != "only\r\n\"\"\r\nx\r\n" {
		t.Errorf("a single column: %q, %v", out.String(), err)
	}
}

func TestJSONComesBack(t *testing.T) {
	for _, f := range []export.Format{export.JSON, export.NDJSON} {
		b, _ := written(t, f, of(sample()...))
		if f == export.NDJSON {
			b = []byte("[" + strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", ",") + "]")
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var objects []map[string]any
		if err := d.Decode(&objects); err != nil {
			t.Fatal(f, err)
		}
		var got [][]string
		for _, o := range objects {
			var line []string
			for _, c := range columns {
				v := o[c.Name]
				if n, ok := v.(json.Number); ok && c.Kind == export.Number {
					v, _ = n.Float64()
				}
				line = append(line, shown(v))
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(expected(sample()), got); diff != "" {
			t.Error(f, diff)
		}
	}
	if b, _ := written(t, export.JSON, of()); string(b) != "[\n]\n" {
		t.Errorf("no rows: %q", b)
	}
}

func TestParquetComesBack(t *testing.T) {
	b, _ := written(t, export.Parquet, of(sample()...))
	table := readParquet(t, b)
	defer table.Release()
	for i, want := range []arrow.DataType{arrow.BinaryTypes.String, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean} {
		if f := table.Schema().Field(i); f.Name != columns[i].Name || !arrow.TypeEqual(f.Type, want) {
			t.Errorf("column %d is %s, want %s %s", i, f, columns[i].Name, want)
		}
	}
	if diff := cmp.Diff(expected(sample()), cellsOf(table)); diff != "" {
		t.Error(diff)
	}
	empty, _ := written(t, export.Parquet, of())
	none := readParquet(t, empty)
	defer none.Release()
	if none.NumRows() != 0 || none.NumCols() != int64(len(columns)) {
		t.Errorf("no rows: %d of %d columns", none.NumRows(), none.NumCols())
	}
}

func readParquet(t *testing.T, b []byte) arrow.Table {
	t.Helper()
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(b), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func cellsOf(table arrow.Table) (rows [][]string) {
	reader := array.NewTableReader(table, 0)
	defer reader.Release()
	for reader.Next() {
		record := reader.Record()
		for i := range int(record.NumRows()) {
			var line []string
			for _, column := range record.Columns() {
				line = append(line, arrowCell(column, i))
			}
			rows = append(rows, line)
		}
	}
	return rows
}

func arrowCell(column arrow.Array, i int) string {
	if column.IsNull(i) {
		return "null"
	}
	switch c := column.(type) {
	case *array.Timestamp:
		return shown(c.Value(i).ToTime(arrow.Millisecond))
	case *array.Float64:
		return shown(c.Value(i))
	case *array.String:
		return c.Value(i)
	}
	return column.ValueStr(i)
}

// endless are rows that are made as they are read.
type endless struct {
	n, most int
	values  []any
	peak    uint64
}

func (e *endless) Next() bool {
	if e.n++; e.n > e.most {
		return false
	}
	if e.n%100_000 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		e.peak = max(e.peak, m.HeapAlloc)
	}
	return true
}

func (e *endless) Values() []any {
	e.values[0], e.values[1], e.values[2] = names[e.n%len(names)], time.UnixMilli(1_700_000_000_000+int64(e.n)*977), int64(e.n)
	e.values[3], e.values[4], e.values[5] = float64(e.n)*0.37, e.n%2 == 0, id(byte(e.n))
	return e.values
}
func (*endless) Err() error   { return nil }
func (*endless) Close() error { return nil }

var names = []string{"Марья Ивановна", "Pallet 7", "=HYPERLINK(\"x\")", "Велосипед №5", ""}

// Five million rows take no more memory than a row group does.
func TestMemoryIsConstant(t *testing.T) {
	for f, rows := range map[export.Format]int{export.CSV: many, export.JSON: many / 10, export.NDJSON: many / 10, export.Parquet: many} {
		t.Run(string(f), func(t *testing.T) {
			var before runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			source := &endless{most: rows, values: make([]any, len(columns))}
			began := time.Now()
			result, err := export.Write(io.Discard, f, columns, source)
			if err != nil || result.Rows != int64(rows) {
				t.Fatalf("%+v, %v", result, err)
			}
			held := (int64(source.peak) - int64(before.HeapAlloc)) >> 20
			t.Logf("%d rows, %d MB written in %s, at most %d MiB held", result.Rows, result.Bytes/1e6, time.Since(began).Round(time.Millisecond), held)
			if most := int64(64); held > most {
				t.Errorf("%d MiB are held, want at most %d", held, most)
			}
		})
	}
}

// A large file has row groups of a bounded size, by rows and by bytes of text.
func TestRowGroups(t *testing.T) {
	var b bytes.Buffer
	source := &endless{most: 150_000, values: make([]any, len(columns))}
	if _, err := export.Write(&b, export.Parquet, columns, source); err != nil {
		t.Fatal(err)
	}
	if got := groups(t, b.Bytes()); cmp.Diff([]int64{65_536, 65_536, 18_928}, got) != "" {
		t.Errorf("row groups of %v rows", got)
	}
	b.Reset()
	long := []any{strings.Repeat("x", 1<<20), nil, nil, nil, nil, nil}
	var rows [][]any
	for range 40 {
		rows = append(rows, long)
	}
	if _, err := export.Write(&b, export.Parquet, columns, of(rows...)); err != nil {
		t.Fatal(err)
	}
	if got := groups(t, b.Bytes()); cmp.Diff([]int64{16, 16, 8}, got) != "" {
		t.Errorf("row groups of %v rows of a MiB", got)
	}
}

func groups(t *testing.T, b []byte) (rows []int64) {
	t.Helper()
	reader, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	for i := range reader.NumRowGroups() {
		rows = append(rows, reader.RowGroup(i).NumRows())
	}
	return rows
}

// broken takes some bytes and then none.
type broken struct{ left int }

var errPipe = errors.New("the reader has gone")

func (b *broken) Write(p []byte) (int, error) {
	if n := min(b.left, len(p)); n < len(p) {
		b.left = 0
		return n, errPipe
	}
	b.left -= len(p)
	return len(p), nil
}

// What goes wrong ends the writing and says how far it came.
func TestErrors(t *testing.T) {
	for _, f := range export.Formats() {
		source := &endless{most: 1_000_000, values: make([]any, len(columns))}
		result, err := export.Write(&broken{left: 200_000}, f, columns, source)
		if !errors.Is(err, errPipe) || result.Bytes != 200_000 || result.Rows == 0 || result.Rows >= 1_000_000 {
			t.Errorf("%s, the reader went: %+v, %v", f, result, err)
		}
		lost := of(sample()...)
		lost.err = context.DeadlineExceeded
		if result, err := export.Write(io.Discard, f, columns, lost); !errors.Is(err, context.DeadlineExceeded) || result.Rows != int64(len(sample())) {
			t.Errorf("%s, the rows broke off: %+v, %v", f, result, err)
		}
		if _, err := export.Write(io.Discard, f, columns, of([]any{1, 2})); err == nil || !strings.Contains(err.Error(), "2 values for 6 columns") {
			t.Errorf("%s, too few values: %v", f, err)
		}
		if _, err := export.Write(io.Discard, f, columns, of([]any{7, nil, nil, nil, nil, nil})); err == nil || !strings.Contains(err.Error(), `column "name" of kind text cannot hold a int`) {
			t.Errorf("%s, a wrong value: %v", f, err)
		}
	}
	if _, err := export.Write(io.Discard, "xml", columns, of()); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "parquet") {
		t.Errorf("an unknown format: %v", err)
	}
}

// A head in a language is for people; what has no title keeps its name.
func TestHeaded(t *testing.T) {
	columns := []export.Column{{Name: "dwell_s", Title: export.Words{En: "Dwell, s", Ru: "Пребывание, с"}}, {Name: "id"}}
	for lang, want := range map[string]string{"": "dwell_s id", "en": "Dwell, s id", "ru": "Пребывание, с id", "de": "Dwell, s id"} {
		headed := export.Headed(columns, lang)
		if got := headed[0].Name + " " + headed[1].Name; got != want || columns[0].Name != "dwell_s" {
			t.Errorf("%s: %s", lang, got)
		}
	}
}

// Writing a row allocates nothing but now and then a piece.
func TestAllocations(t *testing.T) {
	for _, f := range []export.Format{export.CSV, export.NDJSON} {
		values := []any{"Pallet 7", at(1), int64(1 << 40), 2.5, true, id(1).String()}
		source := &same{values: values}
		per := testing.AllocsPerRun(5, func() {
			source.left = 20_000
			if _, err := export.Write(io.Discard, f, columns, source); err != nil {
				t.Fatal(err)
			}
		})
		if per > 100 {
			t.Errorf("%s: %.0f allocations for 20,000 rows", f, per)
		}
	}
}

// same is one row again and again.
type same struct {
	values []any
	left   int
}

func (s *same) Next() bool    { s.left--; return s.left >= 0 }
func (s *same) Values() []any { return s.values }
func (*same) Err() error      { return nil }
func (*same) Close() error    { return nil }

func BenchmarkWrite(b *testing.B) {
	for _, f := range export.Formats() {
		b.Run(string(f), func(b *testing.B) {
			source := &same{values: []any{"Pallet 7", at(1), int64(1 << 40), 2.5, true, id(1).String()}, left: b.N}
			b.ReportAllocs()
			if _, err := export.Write(io.Discard, f, columns, source); err != nil {
				b.Fatal(err)
			}
		})
	}
}
