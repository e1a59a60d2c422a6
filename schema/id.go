package schema

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// ID is a 128-bit identifier of the things of kind K, printed as a UUID. The
// kind makes ids of different things different types, so that a tenant can
// never be passed where a tag is meant.
type ID[K any] [16]byte

type (
	organisationKind struct{}
	userKind         struct{}
	locationKind     struct{}
	planKind         struct{}
	zoneKind         struct{}
	tagKind          struct{}
	receiverKind     struct{}
	deviceKind       struct{}
	visitKind        struct{}
	mailKind         struct{}
)

type (
	// OrganisationID is the tenant and is part of every table, message and key.
	OrganisationID = ID[organisationKind]
	// UserID names a person's account.
	UserID = ID[userKind]
	// LocationID names a building or site.
	LocationID = ID[locationKind]
	// PlanID names one floor of a location.
	PlanID = ID[planKind]
	// ZoneID names a region of a plan; zero is "outside zones".
	ZoneID = ID[zoneKind]
	// TagID names a registered transmitter; zero is "nobody's".
	TagID = ID[tagKind]
	// ReceiverID names a radio at its place on a plan.
	ReceiverID = ID[receiverKind]
	// DeviceID names a managed box.
	DeviceID = ID[deviceKind]
	// VisitID names one stay of a tag in a zone.
	VisitID = ID[visitKind]
	// MailID names one mail of the outbox.
	MailID = ID[mailKind]
)

// NewID returns a fresh identifier: a UUID of version 7, whose order is the
// order of creation, which keeps B-tree indexes compact.
func NewID[I ~[16]byte]() I {
	var b [16]byte
	if _, err := rand.Read(b[6:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	ms := uint64(time.Now().UnixMilli())
	b[0], b[1], b[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
	b[3], b[4], b[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return I(b)
}

// DeriveID returns the identifier that the parts determine: equal parts give
// equal ids on every machine and after every restart (UUID of version 8 over
// SHA-256). Each part is length-prefixed, so that ("ab","c") differs from
// ("a","bc").
func DeriveID[I ~[16]byte](parts ...[]byte) I {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	var b [16]byte
	copy(b[:], h.Sum(nil))
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return I(b)
}

// ParseID reads the 36-character form of a UUID, in either case.
func ParseID[I ~[16]byte](s string) (I, error) {
	var id I
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, badID(s)
	}
	b := make([]byte, 0, 32)
	b = append(b, s[0:8]...)
	b = append(b, s[9:13]...)
	b = append(b, s[14:18]...)
	b = append(b, s[19:23]...)
	b = append(b, s[24:36]...)
	if _, err := hex.Decode(id[:], b); err != nil {
		return I{}, badID(s)
	}
	return id, nil
}

func badID(s string) error {
	if len(s) > 48 {
		s = s[:48] + "…"
	}
	return &Error{Kind: Invalid, Message: fmt.Sprintf("%q is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057", s)}
}

// IsZero reports whether the id is unset; the zero id names nothing.
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

// String returns the 36-character lower-case form.
func (id ID[K]) String() string {
	var out [36]byte
	hex.Encode(out[0:8], id[0:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:36], id[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// MarshalText implements [encoding.TextMarshaler]; the zero id is empty text.
func (id ID[K]) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]; empty text is the zero id.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID[K]{}
		return nil
	}
	v, err := ParseID[ID[K]](string(text))
	if err == nil {
		*id = v
	}
	return err
}

// Value implements [driver.Valuer]; the zero id is NULL.
func (id ID[K]) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.String(), nil
}

// Scan implements the Scanner of database/sql; NULL is the zero id.
func (id *ID[K]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID[K]{}
		return nil
	case string:
		return id.UnmarshalText([]byte(v))
	case [16]byte:
		*id = v
		return nil
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
			return nil
		}
		return id.UnmarshalText(v)
	default:
		return fmt.Errorf("scan %T into an id", src)
	}
}
