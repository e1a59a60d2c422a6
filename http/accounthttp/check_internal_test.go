package accounthttp

import (
	"encoding/json"
	"strings"
	"testing"
)

// What passes as a phone is a number, and passes unchanged a second time.
func FuzzPhones(f *testing.F) {
	for _, seed := range []string{"", "Мария", "+7 (495) 123-45-67", "+1", "\u00a0", "+49\n89"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if phone, err := checkPhone("phone", said); err == nil && phone != "" {
			again, err := checkPhone("phone", phone)
			if err != nil || again != phone || strings.Trim(phone, "+0123456789") != "" || len(phone) > 16 {
				t.Errorf("%q passes as %q", said, phone)
			}
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
