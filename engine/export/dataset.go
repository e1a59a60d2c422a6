package export

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Kind is what a column holds. The null of every kind is nil.
type Kind string

// The kinds, with the Go types that [Rows.Values] may have for them.
const (
	Text    Kind = "text"    // string or fmt.Stringer
	Time    Kind = "time"    // time.Time; written in UTC with milliseconds
	Integer Kind = "integer" // all integer types that fit into an int64
	Number  Kind = "number"  // float64 or float32; what is no number (NaN, infinite) becomes null
	Bool    Kind = "bool"    // bool
	UUID    Kind = "uuid"    // string, fmt.Stringer or [16]byte
)

// Words is a text for people, in the languages of the console.
type Words struct {
	En string `json:"en"`
	Ru string `json:"ru"`
}

// In returns the text in the language, English unless it is "ru".
func (w Words) In(lang string) string {
	if lang == "ru" && w.Ru != "" {
		return w.Ru
	}
	return w.En
}

// Column is one column of a dataset.
type Column struct {
	Name string // snake_case with its unit, such as "dwell_s"; stable over versions
	Kind Kind
	Doc  string // what it says, in a few words of English
	// Title is what a spreadsheet's head shows, where a language is asked for. Empty:
	// Name.
	Title Words
}

// Headed returns the columns with their titles in the language as names, for formats
// that people read. An empty language leaves them as they are.
func Headed(columns []Column, lang string) []Column {
	headed := slices.Clone(columns)
	for i, c := range headed {
		if title := c.Title.In(lang); lang != "" && title != "" {
			headed[i].Name = title
		}
	}
	return headed
}

// FilterKind is how a person chooses a filter's value.
type FilterKind string

// The kinds of filters.
const (
	Location FilterKind = "location" // a location's id
	Plan     FilterKind = "plan"     // a plan's id
	Zone     FilterKind = "zone"     // a zone's id
	Tag      FilterKind = "tag"      // a tag's id
	Moment   FilterKind = "time"     // RFC 3339, or a date
	TimeZone FilterKind = "time_zone"
	Choice   FilterKind = "choice" // one of Filter.Choices
	Word     FilterKind = "text"
	Amount   FilterKind = "number"
	Flag     FilterKind = "flag" // true or false
)

// Filter is one parameter that narrows a dataset.
type Filter struct {
	Name     string
	Kind     FilterKind
	Title    Words
	Required bool
	Repeats  bool // may be given more than once
	Choices  []string
}

// Dataset is something that can be exported.
type Dataset struct {
	ID      string // "ble/visits": the product and the word of its list
	Version int    // counted from 1; grows when a column changes its meaning or goes
	Columns []Column
	// Open begins to read the rows that the filters admit and the scope may see; the
	// scope is of one organisation. What is wrong with a filter is a schema.Error that
	// names it. The context bounds the reading to the end.
	Open func(ctx context.Context, scope postgres.Scope, filters url.Values) (Rows, error)

	// What follows is for jobs and the console, and may be left empty.

	Title   Words
	Filters []Filter // the only names that Open admits
	// Check returns what Open would complain about, without reading rows.
	Check func(ctx context.Context, scope postgres.Scope, filters url.Values) error
	// Count returns about how many rows there will be, for a progress bar.
	Count func(ctx context.Context, scope postgres.Scope, filters url.Values) (int64, error)
}

// Product returns whose dataset it is: "ble", or "" for the core's.
func (d Dataset) Product() string {
	product, _, two := strings.Cut(d.ID, "/")
	if !two {
		return ""
	}
	return product
}

// Rows are read one after the other: for rows.Next() { rows.Values() }, then Err, as of
// database/sql. Who opened them closes them, at the end or before.
type Rows interface {
	Next() bool
	// Values returns the row, a value per column; it may be overwritten by Next.
	Values() []any
	Err() error
	Close() error
}

// Source is a module with datasets of its own.
type Source interface{ Datasets() []Dataset }

// Catalogue is all that can be exported. It is immutable.
type Catalogue struct{ list []Dataset }

// NewCatalogue returns the datasets in the order given. Two of one id, or one that
// cannot be opened, are a defect of the program and panic.
func NewCatalogue(datasets ...Dataset) Catalogue {
	seen := map[string]bool{}
	for _, d := range datasets {
		if seen[d.ID] || d.ID == "" || d.Open == nil || len(d.Columns) == 0 {
			panic("BUG: the dataset " + d.ID + " is there twice, or lacks an id, columns or Open")
		}
		seen[d.ID] = true
	}
	return Catalogue{slices.Clone(datasets)}
}

// All returns the datasets.
func (c Catalogue) All() []Dataset { return slices.Clone(c.list) }

// Find returns the dataset, or Invalid that names those there are.
func (c Catalogue) Find(id string) (Dataset, error) {
	var ids []string
	for _, d := range c.list {
		if d.ID == id {
			return d, nil
		}
		ids = append(ids, d.ID)
	}
	return Dataset{}, schema.Errorf(schema.Invalid, "dataset", "is %q: choose one of %s", id, strings.Join(ids, ", "))
}
