package accounthttp

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// What passes as a text, a phone or a time zone commands neither a terminal, a mail's
// header nor a spreadsheet's row, and passes unchanged a second time.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"", "Мария", " a ", "a\nb", "\x1b[2J", "\u202egnp.exe", "+7 (495) 123-45-67", "+1", "Europe/Moscow", "Local", "../etc/passwd", "\xff", "\u00a0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if name, err := checkText("name", said, 1, 200); err == nil {
			again, err := checkText("name", name, 1, 200)
			if err != nil || again != name || strings.ContainsFunc(name, unicode.IsControl) {
				t.Errorf("%q passes as %q, then as %q, %v", said, name, again, err)
			}
		}
		if phone, err := checkPhone("phone", said); err == nil && phone != "" {
			again, err := checkPhone("phone", phone)
			if err != nil || again != phone || strings.Trim(phone, "+0123456789") != "" || len(phone) > 16 {
				t.Errorf("%q passes as %q", said, phone)
			}
		}
		if zone, err := checkTimeZone(said); err == nil && strings.Contains(zone, "..") {
			t.Errorf("%q passes", said)
		}
	})
}

// Locations are read or refused, and what is read is written the same.
func FuzzLocations(f *testing.F) {
	for _, seed := range []string{`null`, `[]`, `[{"id":"01890a5d-ac96-774b-bcce-b302099a8057","write":true}]`, `{}`, `[null]`, `"x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var l, again Locations
		if json.Unmarshal(text, &l) != nil {
			return
		}
		written, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || again.limit != l.limit || len(again.list) != len(l.list) {
			t.Errorf("%s was written as %s and read as %+v, %v", text, written, again, err)
		}
	})
}
