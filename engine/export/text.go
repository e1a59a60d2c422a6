package export

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// pieceSize is how much text is written at once.
const pieceSize = 64 << 10

// timeLayout is RFC 3339 with milliseconds, always: columns of one width sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// shortest returns the float64 that is written as a float32 is: 0.1, not
// 0.10000000149011612.
func shortest(n float32) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', -1, 32), 64)
	if err != nil {
		return float64(n) // infinite
	}
	return f
}

// appendPlain appends what needs no quotes in any format: numbers, times, ids, truth.
func appendPlain(b []byte, k Kind, c cell) []byte {
	switch k {
	case Integer:
		return strconv.AppendInt(b, c.i, 10)
	case Number:
		return appendNumber(b, c.f)
	case Bool:
		return strconv.AppendBool(b, c.i == 1)
	case Time:
		return time.UnixMilli(c.i).UTC().AppendFormat(b, timeLayout)
	}
	return append(b, c.text...)
}

// appendNumber writes as JavaScript does: an exponent only where it would be long.
func appendNumber(b []byte, f float64) []byte {
	if abs := max(f, -f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// csvEncoder writes RFC 4180. The one of the standard library changes line breaks
// inside of cells, and what was exported must come back as it was.
type csvEncoder struct {
	to      io.Writer
	columns []Column
	buffer  []byte
}

func newCSV(w io.Writer, columns []Column) *csvEncoder {
	e := &csvEncoder{to: w, columns: columns, buffer: make([]byte, 0, 2*pieceSize)}
	for i, c := range columns {
		e.separate(i)
		e.buffer = appendCSVText(e.buffer, c.Name)
	}
	e.buffer = append(e.buffer, "\r\n"...)
	return e
}

func (e *csvEncoder) separate(i int) {
	if i > 0 {
		e.buffer = append(e.buffer, ',')
	}
}

func (e *csvEncoder) row(cells []cell) error {
	for i, c := range cells {
		e.separate(i)
		switch kind := e.columns[i].Kind; {
		case c.null && len(cells) == 1:
			e.buffer = append(e.buffer, `""`...) // an empty line would be no row
		case c.null:
		case kind == Text, kind == UUID:
			e.buffer = appendCSVText(e.buffer, c.text)
		default:
			e.buffer = appendPlain(e.buffer, kind, c)
		}
	}
	e.buffer = append(e.buffer, "\r\n"...)
	if len(e.buffer) < pieceSize {
		return nil
	}
	return e.end()
}

func (e *csvEncoder) end() error {
	_, err := e.to.Write(e.buffer)
	e.buffer = e.buffer[:0]
	return err
}

// formulas begin with one of these, for one spreadsheet or another.
const formulas = "=+-@\t\r"

// appendCSVText appends a cell of text. Empty text gets quotes, which tells it from
// null for readers that look.
func appendCSVText(b []byte, s string) []byte {
	inert := s != "" && strings.IndexByte(formulas, s[0]) >= 0
	if !inert && s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(b, s...)
	}
	b = append(b, '"')
	if inert {
		b = append(b, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		b = append(append(b, s[:i]...), `""`...)
		s = s[i+1:]
	}
	return append(append(b, s...), '"')
}

// jsonEncoder writes an object per row, in an array or one per line.
type jsonEncoder struct {
	to      io.Writer
	columns []Column
	names   [][]byte // quoted, with the comma or brace before and the colon after
	array   bool
	rows    int64
	buffer  []byte
}

func newJSON(w io.Writer, columns []Column, array bool) *jsonEncoder {
	e := &jsonEncoder{to: w, columns: columns, array: array, buffer: make([]byte, 0, 2*pieceSize)}
	for i, c := range columns {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		e.names = append(e.names, append(appendJSONText([]byte{before}, c.Name), ':'))
	}
	if array {
		e.buffer = append(e.buffer, '[')
	}
	return e
}

func (e *jsonEncoder) row(cells []cell) error {
	if e.array && e.rows > 0 {
		e.buffer = append(e.buffer, ',')
	}
	if e.array {
		e.buffer = append(e.buffer, '\n')
	}
	e.rows++
	for i, c := range cells {
		e.buffer = append(e.buffer, e.names[i]...)
		e.buffer = appendJSON(e.buffer, e.columns[i].Kind, c)
	}
	e.buffer = append(e.buffer, '}')
	if !e.array {
		e.buffer = append(e.buffer, '\n')
	}
	if len(e.buffer) < pieceSize {
		return nil
	}
	return e.flush()
}

func appendJSON(b []byte, k Kind, c cell) []byte {
	switch {
	case c.null:
		return append(b, "null"...)
	case k == Text, k == UUID:
		return appendJSONText(b, c.text)
	case k == Time:
		return append(appendPlain(append(b, '"'), k, c), '"')
	}
	return appendPlain(b, k, c)
}

// appendJSONText appends a string; one of plain characters, as nearly all are, without
// asking the library.
func appendJSONText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || strings.IndexByte(`"\<>&`, c) >= 0 {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("BUG: a string has no JSON: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func (e *jsonEncoder) flush() error {
	_, err := e.to.Write(e.buffer)
	e.buffer = e.buffer[:0]
	return err
}

func (e *jsonEncoder) end() error {
	if e.array {
		e.buffer = append(e.buffer, "\n]\n"...)
	}
	return e.flush()
}
