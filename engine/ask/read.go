package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"mybeacon/schema"
)

// tail passes bytes on and remembers the last ones: an error that comes after rows is
// written behind them.
type tail struct {
	from io.Reader
	last []byte
	n    int64
}

// errTooMuch ends the reading of a row that goes on beyond all bounds.
var errTooMuch = errors.New("ask: too much")

// Read implements [io.Reader].
func (t *tail) Read(p []byte) (int, error) {
	left := maxAnswer + maxCell - t.n
	if left <= 0 {
		return 0, errTooMuch
	}
	n, err := t.from.Read(p[:min(int64(len(p)), left)])
	t.n += int64(n)
	if t.last = append(t.last, p[:n]...); len(t.last) > 2*maxFailure {
		t.last = append(t.last[:0], t.last[len(t.last)-maxFailure:]...)
	}
	return n, err
}

// errEnough ends the reading of an answer of which enough is known.
var errEnough = errors.New("ask: enough")

// reading reads an array of names, one of types, and one per row, as they come.
type reading struct {
	limit  int
	body   *tail
	json   *json.Decoder
	answer Answer
}

func readAnswer(s Statement, body io.Reader) (Answer, error) {
	t := &tail{from: body}
	r := &reading{limit: s.Limit, body: t, json: json.NewDecoder(t), answer: Answer{Columns: []Column{}, Rows: [][]any{}}}
	r.json.UseNumber()
	err := r.head()
	if err == nil {
		err = r.rows()
	}
	if err == nil || errors.Is(err, errEnough) {
		return r.answer, nil
	}
	if errors.Is(err, errTooMuch) {
		if r.answer.Truncated = true; len(r.answer.Rows) > 0 {
			return r.answer, nil
		}
		return Answer{}, schema.Errorf(schema.TooLarge, "sql", "one row of the answer has more than %d MiB: ask for fewer columns, or cut them with substring", maxAnswer>>20)
	}
	var known *schema.Error
	if errors.As(err, &known) {
		return Answer{}, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(t, maxFailure)) // what it says of itself, if it does
	if text, found := failureIn(t.last); found {
		return Answer{}, explain(s.SQL, 0, text)
	}
	return Answer{}, &schema.Error{Kind: schema.Unavailable, Message: "the warehouse broke its answer off; try again", Err: err}
}

// head reads the names and types of the columns; a statement without an answer has
// neither.
func (r *reading) head() error {
	var names, types []string
	if !r.json.More() {
		return nil
	}
	if err := r.json.Decode(&names); err != nil {
		return err
	}
	if err := r.json.Decode(&types); err != nil {
		return err
	}
	for i, name := range names {
		r.answer.Columns = append(r.answer.Columns, Column{Name: name, Type: types[min(i, len(types)-1)]})
	}
	return nil
}

func (r *reading) rows() error {
	for r.json.More() {
		if len(r.answer.Rows) == r.limit || r.body.n > maxAnswer {
			r.answer.Truncated = true
			return errEnough
		}
		var row []json.RawMessage
		if err := r.json.Decode(&row); err != nil {
			return err
		}
		cells := make([]any, len(row))
		for i, text := range row {
			var err error
			if cells[i], err = r.cell(i, text); err != nil {
				return err
			}
		}
		r.answer.Rows = append(r.answer.Rows, cells)
	}
	_, err := r.json.Token() // what stands where a row should is an error
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// maxExact is the largest integer that a JavaScript number holds exactly.
const maxExact = 1 << 53

// cell keeps what ClickHouse wrote, but for integers that a browser would round: those
// become text.
func (r *reading) cell(i int, text json.RawMessage) (any, error) {
	if len(text) > maxCell {
		return nil, schema.Errorf(schema.TooLarge, "sql", "a value of the column %s has %d bytes: at most %d are shown, so cut it with substring", r.name(i), len(text), maxCell)
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && (n > maxExact || n < -maxExact) {
		return string(text), nil
	}
	if _, err := strconv.ParseUint(string(text), 10, 64); err == nil && len(text) > 18 {
		return string(text), nil
	}
	return text, nil
}

func (r *reading) name(i int) string {
	if i < len(r.answer.Columns) {
		return strconv.Quote(r.answer.Columns[i].Name)
	}
	return fmt.Sprint(i + 1)
}
