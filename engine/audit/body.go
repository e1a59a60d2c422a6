package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"mybeacon/schema"
)

// The bounds of an entry: the log takes what people do, not what they upload.
const (
	maxFields = 100
	maxValue  = 2000 // bytes of one value
)

const saltBytes = 16

// Body is an entry as it is stored. JSON is what the chain hashes; it says all but the
// personal values, of which it holds digests.
type Body struct {
	Organisation schema.OrganisationID
	JSON         string
	// Personal holds the personal values and Salts their salts in hex, both by the
	// values' places: "email", "address", "object", "old.0", "new.0", …
	Personal, Salts map[string]string
}

// body is the JSON of an entry. Its keys stand in the order of the alphabet, so that
// one entry has one text.
type body struct {
	Action  Action            `json:"action"`
	Digests map[string]string `json:"digests,omitempty"`
	Fields  []field           `json:"fields,omitempty"`
	Key     string            `json:"key,omitempty"`
	Object  object            `json:"object"`
	Reason  string            `json:"reason,omitempty"`
	User    schema.UserID     `json:"user"`
}

type field struct {
	Name string `json:"name"`
	New  string `json:"new,omitempty"`
	Old  string `json:"old,omitempty"`
}

type object struct {
	ID   string `json:"id,omitempty"`
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
}

// The places of personal values.
const (
	placeEmail   = "email"
	placeAddress = "address"
	placeObject  = "object"
)

func placeOld(i int) string { return "old." + strconv.Itoa(i) }
func placeNew(i int) string { return "new." + strconv.Itoa(i) }

// Write returns the entry as it is stored when the actor made it. Values too long are
// cut, and characters that cannot be stored replaced: the log never refuses a change.
func Write(e Entry, by Actor) Body {
	out := Body{Organisation: e.Organisation, Personal: map[string]string{}, Salts: map[string]string{}}
	b := body{
		Action: e.Action, Digests: map[string]string{}, Key: clean(by.Key), Reason: clean(by.Reason), User: by.User,
		Object: object{ID: clean(e.Object.ID), Kind: e.Object.Kind, Name: clean(e.Object.Name)},
	}
	hide := func(place, value string) {
		if value != "" {
			salt := newSalt()
			out.Personal[place], out.Salts[place] = value, hex.EncodeToString(salt)
			b.Digests[place] = digest(salt, value)
		}
	}
	hide(placeEmail, clean(by.Email))
	if by.Address.IsValid() {
		hide(placeAddress, by.Address.Unmap().String())
	}
	if e.Object.Personal || e.Object.Kind == KindUser {
		hide(placeObject, b.Object.Name)
		b.Object.Name = ""
	}
	for i, f := range bounded(e.Fields) {
		kept := field{Name: f.Name, Old: clean(f.Old), New: clean(f.New)}
		if f.Personal {
			hide(placeOld(i), kept.Old)
			hide(placeNew(i), kept.New)
			kept.Old, kept.New = "", ""
		}
		b.Fields = append(b.Fields, kept)
	}
	out.JSON = encode(b)
	return out
}

// bounded cuts a list of fields that is too long, and says so.
func bounded(fields []Field) []Field {
	if len(fields) <= maxFields {
		return fields
	}
	more := Made("more", strconv.Itoa(len(fields)-maxFields+1))
	return append(append([]Field{}, fields[:maxFields-1]...), more)
}

// clean makes the text storable and bounds it.
func clean(s string) string {
	if len(s) > maxValue {
		cut := maxValue
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func encode(b body) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		panic("BUG: an entry is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return salt
}

// digest is what the chain holds of a personal value.
func digest(salt []byte, value string) string {
	sum := sha256.Sum256(append(append(make([]byte, 0, len(salt)+len(value)), salt...), value...))
	return hex.EncodeToString(sum[:])
}

func readBody(text string) (body, error) {
	var b body
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return b, fmt.Errorf("read an audit entry: %w", err)
	}
	return b, nil
}
