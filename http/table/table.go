// Package table reads and writes tables of objects as CSV, as people exchange them with
// spreadsheets. Its functions are pure.
package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"mybeacon/schema"
)

// dangerous begin what a spreadsheet takes for a formula.
const dangerous = "=+-@\t\r"

// Safe keeps a spreadsheet from taking a text for a formula: a ' before it. A text that
// begins so already gets one more, so that [Raw] gives back what was.
func Safe(text string) string {
	if rest := strings.TrimLeft(text, "'"); rest != "" && strings.ContainsRune(dangerous, rune(rest[0])) {
		return "'" + text
	}
	return text
}

// Raw takes away what Safe put before the text.
func Raw(text string) string {
	rest := strings.TrimLeft(text, "'")
	if rest != "" && rest != text && strings.ContainsRune(dangerous, rune(rest[0])) {
		return text[1:]
	}
	return text
}

// Row is one row of a table.
type Row struct {
	Line  int // in the file, from 1; the heading is line 1
	at    map[string]int
	cells []string
}

// Cell returns what stands in the column, without spaces around and without what Safe
// put before; ok is false when the table or the row has no such column.
func (r Row) Cell(column string) (text string, ok bool) {
	i, ok := r.at[column]
	if !ok || i >= len(r.cells) {
		return "", false
	}
	return Raw(strings.TrimSpace(r.cells[i])), true
}

// Text is Cell for who need not tell an empty cell from none.
func (r Row) Text(column string) string {
	text, _ := r.Cell(column)
	return text
}

// Read reads a table of at most so many rows, in UTF-8 with or without the mark before,
// separated by commas or semicolons. It must have one of the needed columns; usage says
// what it may have beside. A table that cannot be taken apart is Invalid.
func Read(body []byte, most int, usage string, needed ...string) ([]Row, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if !utf8.Valid(body) {
		return nil, schema.Errorf(schema.Invalid, "body", "is not in UTF-8: save the table as \"CSV UTF-8\"")
	}
	comma := separator(body)
	if err := narrow(body, comma); err != nil {
		return nil, err
	}
	table := csv.NewReader(bytes.NewReader(body))
	table.FieldsPerRecord = -1
	table.Comma = comma
	heading, err := table.Read()
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "body", "is not a CSV table with a heading")
	}
	at := map[string]int{}
	for i, name := range heading {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	if !hasOne(at, needed) {
		return nil, schema.Errorf(schema.Invalid, "body", "the heading must name the column %s; %s", strings.Join(needed, " or "), usage)
	}
	rows := []Row{}
	for {
		cells, err := table.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.As(err, &broken):
			return nil, schema.Errorf(schema.Invalid, "body", "line %d: %v", broken.Line, broken.Err)
		case err != nil:
			return nil, err
		case len(rows) >= most:
			return nil, schema.Errorf(schema.TooLarge, "body", "a table may have %d lines: split it", most)
		}
		if blank(cells) {
			continue // spreadsheets leave lines of separators at the end
		}
		line, _ := table.FieldPos(0)
		rows = append(rows, Row{Line: line, at: at, cells: cells})
	}
}

// separator is a semicolon where spreadsheets of many countries write the table, since
// a comma is within their numbers.
func separator(body []byte) rune {
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		return ';'
	}
	return ','
}

// maxColumns bounds a line: a cell takes many times the memory of its separator.
const maxColumns = 200

// narrow refuses lines of too many columns before they are taken apart. Each quote is
// taken for one that begins or ends a cell: where it is none, the line is refused as
// such when it is read.
func narrow(body []byte, comma rune) error {
	line, columns, quoted := 1, 1, false
	for _, b := range body {
		switch {
		case b == '"':
			quoted = !quoted
		case b == '\n':
			line++
			if !quoted {
				columns = 1
			}
		case rune(b) == comma && !quoted:
			if columns++; columns > maxColumns {
				return schema.Errorf(schema.TooLarge, "body", "line %d: a table may have %d columns", line, maxColumns)
			}
		}
	}
	return nil
}

func hasOne(at map[string]int, columns []string) bool {
	for _, column := range columns {
		if _, ok := at[column]; ok {
			return true
		}
	}
	return false
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}
