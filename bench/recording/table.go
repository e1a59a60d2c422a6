package recording

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"mybeacon/schema"
)

const (
	// maxLine bounds one line of a table; the longest real one has 60 bytes.
	maxLine = 4096
	// maxRows bounds one table: 20 million events are about a week of ten
	// receivers at 3 Hz and take half a gigabyte in memory.
	maxRows = 20_000_000
	// maxName bounds the names of tracks, receivers and zones, as the server does.
	maxName = 200
	// maxMetres bounds coordinates; it keeps squares and sums well inside float64.
	maxMetres = 1e6
	// maxSeconds bounds times, so that also seconds since 1970 can be used, and the
	// difference of any two times is a time.Duration.
	maxSeconds = 4e9
)

// table reads one CSV file line by line. The first error sticks: after it next
// returns false and the getters return zero values, so that callers check err
// once at the end.
type table struct {
	file  string
	close func() error
	lines *bufio.Scanner
	index []int // of each wanted column in the file; −1 for an optional one that is not there
	names []string
	cells []string
	line  int
	err   error
}

// openTable wants columns by name; those that end in a question mark may be missing.
func openTable(fsys fs.FS, file string, columns ...string) (*table, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, openError(file, err)
	}
	t := &table{file: file, close: f.Close, lines: bufio.NewScanner(f)}
	t.lines.Buffer(make([]byte, 0, maxLine), maxLine)
	if err := t.header(columns); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

func openError(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &schema.Error{Kind: schema.NotFound, Field: file, Message: "the file is missing", Err: err}
	}
	return fmt.Errorf("open %s: %w", file, err)
}

func (t *table) header(columns []string) error {
	var optional []bool
	for _, c := range columns {
		name, may := strings.CutSuffix(c, "?")
		t.names, optional = append(t.names, name), append(optional, may)
	}
	want := strings.Join(t.names, ",")
	if !t.scan() {
		return errors.Join(t.err, schema.Errorf(schema.Invalid, t.file, "the file is empty; its first line must be %q", want))
	}
	t.cells[0] = strings.TrimPrefix(t.cells[0], "\ufeff")
	for n, name := range t.names {
		i := slices.Index(t.cells, name)
		if i < 0 && !optional[n] {
			return schema.Errorf(schema.Invalid, t.file+" line 1", "there is no column %q; the first line must be %q", name, want)
		}
		t.index = append(t.index, i)
	}
	return nil
}

// scan reads the next line that is not blank into cells.
func (t *table) scan() bool {
	for t.err == nil && t.lines.Scan() {
		t.line++
		text := strings.TrimSuffix(t.lines.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if t.line > maxRows {
			t.err = schema.Errorf(schema.TooLarge, t.file, "more than %d lines; split the recording", maxRows)
			return false
		}
		return t.split(text)
	}
	if err := t.lines.Err(); err != nil && t.err == nil {
		t.err = t.readError(err)
	}
	return false
}

func (t *table) readError(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return schema.Errorf(schema.TooLarge, fmt.Sprintf("%s line %d", t.file, t.line+1), "the line is longer than %d bytes", maxLine)
	}
	return fmt.Errorf("read %s: %w", t.file, err)
}

// split is strings.Split for the lines of these files and the CSV reader for
// the rare one with quotes; a quoted line break is not supported.
func (t *table) split(text string) bool {
	if !strings.Contains(text, `"`) {
		t.cells = append(t.cells[:0], strings.Split(text, ",")...)
		return true
	}
	cells, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = schema.Errorf(schema.Invalid, fmt.Sprintf("%s line %d", t.file, t.line), "the quotes do not match; double a quote inside a quoted value")
		return false
	}
	t.cells = cells
	return true
}

// next moves to the next row and checks that it has all wanted columns.
func (t *table) next() bool {
	if !t.scan() {
		return false
	}
	if need := slices.Max(t.index) + 1; len(t.cells) < need {
		t.err = schema.Errorf(schema.Invalid, fmt.Sprintf("%s line %d", t.file, t.line), "the line has %d columns, at least %d are needed", len(t.cells), need)
		return false
	}
	return true
}

// cell returns the text of a column, "" where an optional one is missing.
func (t *table) cell(column int) string {
	if t.index[column] < 0 {
		return ""
	}
	return strings.TrimSpace(t.cells[t.index[column]])
}

// unknown reports whether the cell says that there is no number.
func (t *table) unknown(column int) bool {
	text := t.cell(column)
	return text == "" || strings.EqualFold(text, "nan")
}

// name returns a non-empty text.
func (t *table) name(column int) string {
	s := t.cell(column)
	if s == "" || len(s) > maxName {
		t.fail(column, "%.40q must be a name of 1 to %d bytes", s, maxName)
	}
	// A substring would keep its whole line alive.
	return strings.Clone(s)
}

// number returns a finite number within [low, high].
func (t *table) number(column int, low, high float64, example string) float64 {
	v, err := strconv.ParseFloat(t.cell(column), 64)
	if err != nil || math.IsNaN(v) {
		t.fail(column, "%.40q is not a number such as %s", t.cell(column), example)
		return 0
	}
	if v < low || v > high {
		t.fail(column, "%v must be between %v and %v", v, low, high)
		return 0
	}
	return v
}

func (t *table) metres(column int) float64 { return t.number(column, -maxMetres, maxMetres, "4.25") }

func (t *table) seconds(column int) float64 { return t.number(column, -maxSeconds, maxSeconds, "12.5") }

func (t *table) rssi(column int) schema.CentiDBm {
	return schema.CentiDBmOf(t.number(column, schema.MinRSSI.DBm(), schema.MaxRSSI.DBm(), "-61.5"))
}

// receiver returns the index of the receiver the cell names.
func (t *table) receiver(column int, byName map[string]int) int {
	i, ok := byName[t.cell(column)]
	if !ok {
		t.fail(column, "%.40q is not in receivers.csv; add it there or remove the line", t.cell(column))
	}
	return i
}

func (t *table) fail(column int, format string, args ...any) {
	if t.err == nil {
		where := fmt.Sprintf("%s line %d column %d (%s)", t.file, t.line, t.index[column]+1, t.names[column])
		t.err = schema.Errorf(schema.Invalid, where, format, args...)
	}
}

// finish closes the file and returns the error that ended the reading, if any.
func (t *table) finish() error {
	if err := t.close(); err != nil && t.err == nil {
		return fmt.Errorf("close %s: %w", t.file, err)
	}
	return t.err
}
