package ask

import (
	"maps"
	"regexp"
	"slices"

	"mybeacon/engine/export"
	"mybeacon/schema"
)

// Query is a question that a product brings ready.
type Query struct {
	ID      string // "ble/now"
	Product string
	Title   export.Words
	SQL     string
	Params  []Param
	Chart   *Chart // how the answer is best seen; nil: as a table
}

// Param is a parameter of a statement, which stands there as {Name:Type}.
type Param struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // of ClickHouse: "UInt16", "String", "Date"
	Default string `json:"default"`
}

// Chart says which columns of an answer are drawn, and how.
type Chart struct {
	Kind   string `json:"kind"` // "bar", "line" or "pie"
	X      string `json:"x"`
	Y      string `json:"y"`
	Series string `json:"series"` // the column that tells lines apart; empty: there is one
}

// ChartKinds returns the kinds of charts.
func ChartKinds() []string { return []string{"bar", "line", "pie"} }

// Source is a module with questions of its own.
type Source interface{ Questions() []Query }

// The bounds of parameters.
const (
	maxParams = 50
	maxParam  = 8 << 10 // bytes of a value
)

var (
	paramName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,59}$`)
	paramType = regexp.MustCompile(`^[A-Za-z0-9_(),' /+-]{1,100}$`)
)

// CheckParams refuses parameters whose names or types are none, or that are too many.
func CheckParams(params []Param) error {
	if len(params) > maxParams {
		return schema.Errorf(schema.Invalid, "params", "has %d parameters: at most %d are taken", len(params), maxParams)
	}
	for _, p := range params {
		switch {
		case !paramName.MatchString(p.Name):
			return schema.Errorf(schema.Invalid, "params", "%.60q is no name of a parameter: letters, digits and _ only", p.Name)
		case !paramType.MatchString(p.Type):
			return schema.Errorf(schema.Invalid, "params."+p.Name, "%.60q is no type such as UInt16, String or Date", p.Type)
		case len(p.Default) > maxParam:
			return schema.Errorf(schema.Invalid, "params."+p.Name, "is longer than %d bytes", maxParam)
		}
	}
	return nil
}

func checkValues(values map[string]string) error {
	if len(values) > maxParams {
		return schema.Errorf(schema.Invalid, "params", "has %d parameters: at most %d are taken", len(values), maxParams)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !paramName.MatchString(name):
			return schema.Errorf(schema.Invalid, "params", "%.60q is no name of a parameter: letters, digits and _ only", name)
		case len(values[name]) > maxParam:
			return schema.Errorf(schema.Invalid, "params."+name, "is longer than %d bytes", maxParam)
		}
	}
	return nil
}
