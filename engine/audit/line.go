package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"mybeacon/schema"
)

// Stored is an entry as the store holds it: the n-th link of its chain.
type Stored struct {
	Body
	Seq            int64     // in the chain, from 1
	At             time.Time // to the microsecond
	Previous, Hash []byte    // SHA-256; Previous of the first entry is empty
}

// Line is an entry as people read it.
type Line struct {
	ID string // "<organisation>-<number>", the system's organisation being all zeros
	At time.Time
	Entry
	By Actor
	// From is the actor's address as it was stored; empty for the server and once erased.
	From string
	// Erased says that personal values of it were erased.
	Erased bool
}

// Line reads the entry.
func (s Stored) Line() (Line, error) {
	b, err := readBody(s.JSON)
	if err != nil {
		return Line{}, err
	}
	l := Line{
		ID: s.name(), At: s.At, From: s.Personal[placeAddress],
		Entry: Entry{
			Organisation: s.Organisation, Action: b.Action,
			Object: Object{Kind: b.Object.Kind, ID: b.Object.ID, Name: b.Object.Name},
			Fields: make([]Field, len(b.Fields)),
		},
		By: Actor{User: b.User, Email: s.Personal[placeEmail], Key: b.Key, Reason: b.Reason},
	}
	if b.Digests[placeObject] != "" {
		l.Object.Name, l.Object.Personal = s.Personal[placeObject], true
	}
	for i, f := range b.Fields {
		l.Fields[i] = Field{Name: f.Name, Old: f.Old, New: f.New}
		old, new := b.Digests[placeOld(i)] != "", b.Digests[placeNew(i)] != ""
		if old || new {
			l.Fields[i].Old, l.Fields[i].New, l.Fields[i].Personal = s.Personal[placeOld(i)], s.Personal[placeNew(i)], true
		}
	}
	l.Erased = len(s.Personal) < len(b.Digests)
	return l, nil
}

func (s Stored) name() string {
	return NameOfChain(s.Organisation) + "-" + strconv.FormatInt(s.Seq, 10)
}

// NameOfChain returns the id of the organisation, or all zeros for the system's chain.
func NameOfChain(o schema.OrganisationID) string { return o.String() }

// timeLayout is how times are hashed: UTC, to the microsecond.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// sum returns the hash that the entry must have. The store makes the same text, see
// the migration: whoever changes one must change the other, under a new version.
func (s Stored) sum() [sha256.Size]byte {
	org := "null"
	if !s.Organisation.IsZero() {
		org = `"` + s.Organisation.String() + `"`
	}
	return sha256.Sum256(fmt.Appendf(nil, `{"at":"%s","entry":%s,"org":%s,"previous":"%s","seq":%d}`,
		s.At.UTC().Format(timeLayout), s.JSON, org, hex.EncodeToString(s.Previous), s.Seq))
}

// hides reports whether the personal values that are left are those that were hashed.
func (s Stored) hides() error {
	var b struct {
		Digests map[string]string `json:"digests"`
	}
	if err := json.Unmarshal([]byte(s.JSON), &b); err != nil {
		return err
	}
	for place, value := range s.Personal {
		salt, err := hex.DecodeString(s.Salts[place])
		if err != nil || len(salt) != saltBytes || digest(salt, value) != b.Digests[place] {
			return fmt.Errorf("the personal value %q is not what was written", place)
		}
	}
	for place := range s.Salts {
		if _, ok := s.Personal[place]; !ok {
			return fmt.Errorf("the personal value %q was taken away without its salt", place)
		}
	}
	return nil
}
