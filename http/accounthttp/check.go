package accounthttp

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	shell "mybeacon/http"
	"mybeacon/schema"
)

var (
	phoneForm   = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	phoneSpaces = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "\u00a0", "")
)

// checkPhone returns the number in the form of E.164; empty stays empty.
func checkPhone(field, phone string) (string, error) {
	phone = phoneSpaces.Replace(strings.TrimSpace(phone))
	if phone != "" && !phoneForm.MatchString(phone) {
		return phone, schema.Errorf(schema.Invalid, field, "must be a number with the country's code, such as +7 495 123-45-67")
	}
	return phone, nil
}

// change applies a check to a value that may be left out of a PATCH.
func change(sent *string, into *string, check func(string) (string, error)) error {
	if sent == nil {
		return nil
	}
	checked, err := check(*sent)
	*into = checked
	return err
}

// Locations are the locations that somebody is limited to. Null takes the limit away;
// left out of a change, it stays as it is.
type Locations struct {
	sent  bool
	limit bool
	list  []shell.Grant
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Locations) UnmarshalJSON(text []byte) error {
	l.sent, l.limit = true, string(text) != "null"
	return json.Unmarshal(text, &l.list)
}

// MarshalJSON implements json.Marshaler, for clients and tests.
func (l Locations) MarshalJSON() ([]byte, error) {
	if !l.limit {
		return []byte("null"), nil
	}
	return json.Marshal(l.list)
}

// maxLocations bounds the locations of one person or key.
const maxLocations = 1000

// Schema implements huma.SchemaProvider.
func (Locations) Schema(huma.Registry) *huma.Schema {
	most := maxLocations
	grant := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"id", "write"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"id":    {Type: huma.TypeString, Format: "uuid"},
			"write": {Type: huma.TypeBoolean, Description: "Else it may only be looked at"},
		},
	}
	grant.PrecomputeMessages()
	s := &huma.Schema{Type: huma.TypeArray, Nullable: true, MaxItems: &most, Items: grant, Description: "Null: by the role"}
	s.PrecomputeMessages()
	return s
}
