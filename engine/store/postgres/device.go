package postgres

import (
	"context"
	"crypto/sha256"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// The clocks of a device: whose time its event times follow.
const (
	ClockDevice = "device" // its own, compared with ours
	ClockSource = "source" // taken as given, as for a recording
)

// Device is a managed endpoint. Organisation is zero while it is bound to
// nobody, Location while it is at no location.
type Device struct {
	ID           schema.DeviceID
	Number       int64 // "Receiver #5": unique in the whole system, never used again
	Organisation schema.OrganisationID
	Location     schema.LocationID
	MAC          string // lower case with colons
	Name         string
	Clock        string
	LastSeen     time.Time // as of the last flush of the engine; zero: never
	CreatedAt    time.Time
}

// DeviceFilter narrows a list; zero fields admit all.
type DeviceFilter struct {
	Number   int64
	MAC      string // as [ParseMAC] gives it
	Location schema.LocationID
}

// DevicePatch changes what is not nil. A zero location takes the device away
// from its location.
type DevicePatch struct {
	Location *schema.LocationID
	Name     *string
	Clock    *string
}

// ParseMAC reads a 48-bit address in any of its usual spellings and returns it
// in lower case with colons.
func ParseMAC(s string) (string, error) {
	mac, err := net.ParseMAC(s)
	if err != nil || len(mac) != 6 {
		return "", schema.Errorf(schema.Invalid, "mac", "%.40q is not a MAC address such as 02:00:5e:10:00:01", s)
	}
	return mac.String(), nil
}

var deviceConstraints = Constraints{
	"device_mac_key":           schema.Errorf(schema.Conflict, "mac", "a device of this MAC address is registered already"),
	"device_org_location_fkey": schema.Errorf(schema.NotFound, "location_id", "the organisation has no such location"),
	"device_org_fkey":          schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
}

const deviceColumns = `d.id, d.number, d.org, d.location, d.mac::text, d.name, d.clock, d.last_seen, d.created_at`

func devices() List[Device] {
	return List[Device]{
		Select: "SELECT " + deviceColumns + " FROM device d",
		Key:    "d.number", Cast: "bigint", ID: "d.id",
		Scan: func(row pgx.CollectableRow) (Device, error) {
			var d Device
			return d, scanDevice(row, &d)
		},
		At: func(d Device) Cursor { return Cursor{Key: strconv.FormatInt(d.Number, 10), ID: d.ID.String()} },
	}
}

// scanDevice reads deviceColumns and what follows them.
func scanDevice(row pgx.Row, d *Device, more ...any) error {
	var seen *time.Time
	fields := []any{&d.ID, &d.Number, &d.Organisation, &d.Location, &d.MAC, &d.Name, &d.Clock, &seen, &d.CreatedAt}
	err := row.Scan(append(fields, more...)...)
	if seen != nil {
		d.LastSeen = *seen
	}
	return err
}

// Devices returns a page of the devices in scope, by number. Devices that are
// bound to nobody are in the scope of all organisations only.
func (db *DB) Devices(ctx context.Context, scope Scope, filter DeviceFilter, page Page) ([]Device, Cursor, error) {
	var where Where
	where.Scope("d.org", scope)
	if filter.Number != 0 {
		where.Add("d.number = ?", filter.Number)
	}
	if filter.MAC != "" {
		where.Add("d.mac = ?::text::macaddr", filter.MAC)
	}
	if !filter.Location.IsZero() {
		where.Add("d.location = ?", filter.Location)
	}
	return devices().Read(ctx, db.In(AllOrganisations()), &where, page)
}

// Device returns one device, or NotFound.
func (db *DB) Device(ctx context.Context, scope Scope, id schema.DeviceID) (Device, error) {
	var where Where
	where.Scope("d.org", scope)
	where.Add("d.id = ?", id)
	return devices().One(ctx, db.In(AllOrganisations()), &where)
}

// CreateDevice stores a new device of the organisation, gives it an id and a
// number, and lets it in with the token.
func (db *DB) CreateDevice(ctx context.Context, organisation schema.OrganisationID, d Device, token string) (Device, error) {
	d.ID = schema.NewID[schema.DeviceID]()
	err := db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error {
		const insert = `INSERT INTO device (id, org, location, mac, name, clock, token_hash)
			VALUES ($1, $2, $3, $4::text::macaddr, $5, $6, $7)`
		_, err := tx.Exec(ctx, insert, d.ID, organisation, d.Location, d.MAC, d.Name, d.Clock, hashSecret(token))
		return Explain(err, "insert device", deviceConstraints)
	})
	if err != nil {
		return Device{}, err
	}
	return db.Device(ctx, In(organisation), d.ID)
}

// ChangeDevice applies the patch and returns the device as it is then.
func (db *DB) ChangeDevice(ctx context.Context, scope Scope, id schema.DeviceID, patch DevicePatch) (Device, error) {
	var where Where
	var set []string
	if patch.Location != nil {
		set = append(set, where.Bind("location = ?", *patch.Location))
	}
	if patch.Name != nil {
		set = append(set, where.Bind("name = ?", *patch.Name))
	}
	if patch.Clock != nil {
		set = append(set, where.Bind("clock = ?", *patch.Clock))
	}
	if len(set) > 0 {
		if err := db.updateDevice(ctx, scope, id, strings.Join(set, ", "), &where); err != nil {
			return Device{}, err
		}
	}
	return db.Device(ctx, scope, id)
}

// RotateDeviceToken replaces the device's token; the old one opens nothing any
// more.
func (db *DB) RotateDeviceToken(ctx context.Context, scope Scope, id schema.DeviceID, token string) (Device, error) {
	var where Where
	set := where.Bind("token_hash = ?", hashSecret(token))
	if err := db.updateDevice(ctx, scope, id, set, &where); err != nil {
		return Device{}, err
	}
	return db.Device(ctx, scope, id)
}

func (db *DB) updateDevice(ctx context.Context, scope Scope, id schema.DeviceID, set string, where *Where) error {
	where.Scope("d.org", scope)
	where.Add("d.id = ?", id)
	return db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE device d SET "+set+where.String(), where.Args()...)
		if err == nil && tag.RowsAffected() == 0 {
			err = pgx.ErrNoRows
		}
		return Explain(err, "update device", deviceConstraints)
	})
}

// Binding is a device as the engine needs it: with its organisation's retention
// in days and the SHA-256 of its token, zero when it has none. An unbound device
// has KeepDays 0.
type Binding struct {
	Device
	KeepDays  uint16
	TokenHash [sha256.Size]byte
}

const selectBinding = "SELECT " + deviceColumns + `, coalesce(o.keep_days, 0), d.token_hash FROM device d LEFT JOIN organisation o ON o.id = d.org`

func scanBinding(row pgx.CollectableRow) (Binding, error) {
	var b Binding
	var keep int32
	var hash []byte
	err := scanDevice(row, &b.Device, &keep, &hash)
	b.KeepDays = uint16(keep)
	copy(b.TokenHash[:], hash)
	return b, err
}

// Bindings returns every device in scope, for the engine's directory.
func (db *DB) Bindings(ctx context.Context, scope Scope) ([]Binding, error) {
	var where Where
	where.Scope("d.org", scope)
	return Collect(ctx, db.In(AllOrganisations()), scanBinding, selectBinding+where.String()+" ORDER BY d.number", where.Args()...)
}

// DeviceByToken returns the device that the token lets in, or Unauthorized.
func (db *DB) DeviceByToken(ctx context.Context, token string) (Binding, error) {
	unknown := schema.Errorf(schema.Unauthorized, "", "the device token is unknown; rotate it in the console and enter the new one")
	if !IsSecret(DeviceTokenPrefix, token) {
		return Binding{}, unknown
	}
	rows, err := Collect(ctx, db.In(AllOrganisations()), scanBinding, selectBinding+" WHERE d.token_hash = $1", hashSecret(token))
	switch {
	case err != nil:
		return Binding{}, err
	case len(rows) == 0:
		return Binding{}, unknown
	}
	return rows[0], nil
}

// SawDevices stores when devices were last heard of; an older time changes
// nothing. It announces nothing: lists read it, the engine knows it already.
func (db *DB) SawDevices(ctx context.Context, seen map[schema.DeviceID]time.Time) error {
	ids := make([]string, 0, len(seen))
	times := make([]time.Time, 0, len(seen))
	for id, at := range seen {
		ids, times = append(ids, id.String()), append(times, at)
	}
	const update = `UPDATE device d SET last_seen = greatest(d.last_seen, s.at)
		FROM unnest($1::uuid[], $2::timestamptz[]) AS s (id, at) WHERE d.id = s.id`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, ids, times)
	return Explain(err, "store when devices were seen", nil)
}
