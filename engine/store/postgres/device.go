package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mybeacon/engine/audit"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// The clocks of a device: whose time its event times follow.
const (
	ClockDevice = "device" // its own, compared with ours
	ClockSource = "source" // taken as given, as for a recording
)

// Device is a managed endpoint. Organisation is zero while it is bound to
// nobody, Location while it is at no location.
type Device struct {
	ID               schema.DeviceID
	Number           int64 // "Receiver #5": unique in the whole system, never used again
	Organisation     schema.OrganisationID
	OrganisationName string
	Location         schema.LocationID
	LocationName     string
	MAC              string // lower case with colons
	Name             string
	Clock            string
	Online           bool      // as of the last flush of the engine
	LastSeen         time.Time // likewise; zero: never
	CreatedAt        time.Time
	EnrolledAt       time.Time // with its key or a claim code; zero: entered by people
	Key              bool      // it has enrolled a key

	Version        string          // of its program, as reported
	ModulesRunning map[string]bool // as reported, or as it enrolled
	Config         wire.DeviceConfig
	ConfigVersion  int64
	ConfigRunning  int64       // as reported; 0: not yet
	ReportedAt     time.Time   // zero: never
	Health         wire.Health // as of ReportedAt
}

// Title is what people call the device.
func (d Device) Title() string { return "Receiver #" + strconv.FormatInt(d.Number, 10) }

func (d Device) object() audit.Object {
	return audit.Object{Kind: "device", ID: d.ID.String(), Name: d.Title()}
}

// ParseMAC reads a 48-bit address in any of its usual spellings and returns it
// in lower case with colons.
func ParseMAC(s string) (string, error) {
	mac, err := net.ParseMAC(s)
	if err != nil && len(s) == 12 { // as printed on many boxes
		mac, err = net.ParseMAC(s[:4] + "." + s[4:8] + "." + s[8:])
	}
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

// explainDevice is [Explain] for changes of devices. A product may hold the device
// where it is, in a table that the core does not know.
func explainDevice(err error, doing string) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23503" && refused.TableName != "device" && refused.TableName != "device_binding" {
		return &schema.Error{Kind: schema.Conflict, Message: "the device hangs on a plan: take its receiver away first", Err: err}
	}
	return Explain(err, doing, deviceConstraints)
}

const (
	deviceColumns = `d.id, d.number, d.org, coalesce(o.name, ''), d.location, coalesce(l.name, ''), d.mac::text, d.name, d.clock,
		d.online, d.last_seen, d.created_at, d.enrolled_at, d.public_key IS NOT NULL,
		d.version, d.modules, d.config, d.config_version, d.config_running, d.reported_at, d.health`
	deviceTables = ` FROM device d LEFT JOIN organisation o ON o.id = d.org LEFT JOIN location l ON l.org = d.org AND l.id = d.location`
)

func devices() List[Device] {
	return List[Device]{
		Select: "SELECT " + deviceColumns + deviceTables,
		Key:    "d.number", Cast: "bigint", ID: "d.id",
		Scan: func(row pgx.CollectableRow) (Device, error) { return scanDevice(row) },
		At:   func(d Device) Cursor { return Cursor{Key: strconv.FormatInt(d.Number, 10), ID: d.ID.String()} },
	}
}

// scanDevice reads deviceColumns.
func scanDevice(row pgx.Row) (Device, error) {
	var d Device
	var seen, enrolled, reported *time.Time
	var running *int64
	var modules, config, health []byte
	err := row.Scan(&d.ID, &d.Number, &d.Organisation, &d.OrganisationName, &d.Location, &d.LocationName, &d.MAC, &d.Name, &d.Clock,
		&d.Online, &seen, &d.CreatedAt, &enrolled, &d.Key,
		&d.Version, &modules, &config, &d.ConfigVersion, &running, &reported, &health)
	if err != nil {
		return Device{}, err
	}
	d.LastSeen, d.EnrolledAt, d.ReportedAt = orZero(seen), orZero(enrolled), orZero(reported)
	d.ConfigRunning = orZero(running)
	if d.Config, err = wire.ReadConfig(config); err != nil {
		return Device{}, err
	}
	if err := json.Unmarshal(modules, &d.ModulesRunning); err != nil {
		return Device{}, err
	}
	if health != nil {
		err = json.Unmarshal(health, &d.Health)
	}
	return d, err
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// admitDevice lets the devices through that the scope sees. Devices that are bound
// to nobody are in the scope of all organisations only, and those at no location are
// hidden from who sees only some.
func (w *Where) admitDevice(scope Scope) {
	w.Scope("d.org", scope)
	w.Location("d.location", scope)
}

// Devices returns a page of the devices in scope, by number.
func (db *DB) Devices(ctx context.Context, scope Scope, filter DeviceFilter, page Page) ([]Device, Cursor, error) {
	var where Where
	where.admitDevice(scope)
	filter.apply(&where)
	return devices().Read(ctx, db.In(scope), &where, page)
}

// Device returns one device, or NotFound.
func (db *DB) Device(ctx context.Context, scope Scope, id schema.DeviceID) (Device, error) {
	return readDevice(ctx, db.In(scope), scope, id)
}

func readDevice(ctx context.Context, q Rows, scope Scope, id schema.DeviceID) (Device, error) {
	var where Where
	where.admitDevice(scope)
	where.Add("d.id = ?", id)
	return devices().One(ctx, q, &where)
}

// lockDevice returns the device as it is until the transaction ends. The row is
// locked first: only a statement that begins afterwards is sure to see what the
// transaction before has changed.
func lockDevice(ctx context.Context, tx Tx, scope Scope, id schema.DeviceID) (Device, error) {
	var where Where
	where.admitDevice(scope)
	where.Add("d.id = ?", id)
	tag, err := tx.Exec(ctx, "SELECT FROM device d"+where.String()+" FOR UPDATE", where.Args()...)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return Device{}, Explain(err, "lock device", nil)
	}
	return readDevice(ctx, tx, scope, id)
}

// CreateDevice stores a new device of the organisation, which is zero for one that
// is bound to nobody yet, gives it an id and a number, and lets it in with the token.
func (db *DB) CreateDevice(ctx context.Context, organisation schema.OrganisationID, d Device, token string) (Device, error) {
	scope := AllOrganisations()
	if !organisation.IsZero() {
		scope = In(organisation)
	}
	d.Organisation = organisation
	var made Device
	err := db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		var err error
		made, err = insertDevice(ctx, tx, scope, d, newCredentials{token: token})
		return err
	})
	return made, err
}

// newCredentials is what lets a new device in; what is empty does not.
type newCredentials struct {
	token    string
	key      []byte
	enrolled bool // by the box itself
}

// insertDevice stores the device with its binding and records it.
func insertDevice(ctx context.Context, tx Tx, scope Scope, d Device, by newCredentials) (Device, error) {
	d.ID = schema.NewID[schema.DeviceID]()
	var hash []byte
	if by.token != "" {
		hash = hashSecret(by.token)
	}
	const insert = `INSERT INTO device (id, org, location, mac, name, clock, version, modules, token_hash, public_key, self_registered, enrolled_at)
		VALUES ($1, $2, $3, $4::text::macaddr, $5, $6, $7, $8, $9, $10, $11, CASE WHEN $12 THEN now() END)`
	selfRegistered := by.enrolled && d.Organisation.IsZero()
	_, err := tx.Exec(ctx, insert, d.ID, d.Organisation, d.Location, d.MAC, d.Name, d.Clock, d.Version,
		modulesJSON(d.ModulesRunning), hash, by.key, selfRegistered, by.enrolled)
	if err != nil {
		return Device{}, explainDevice(err, "insert device")
	}
	if !d.Organisation.IsZero() {
		if err := openBinding(ctx, tx, d, start{bornAs: d.MAC}); err != nil {
			return Device{}, err
		}
	}
	made, err := readDevice(ctx, tx, scope, d.ID)
	if err != nil {
		return Device{}, err
	}
	fields := []audit.Field{{Name: "mac", New: made.MAC}, {Name: "name", New: made.Name}, {Name: "location", New: made.LocationName}}
	tx.Record(audit.Entry{Organisation: made.Organisation, Action: audit.Create, Object: made.object(), Fields: filled(fields)})
	return made, nil
}

func modulesJSON(on map[string]bool) string { return string(wire.Report{Modules: on}.ModulesJSON()) }

// filled leaves out the fields that are empty before and after.
func filled(fields []audit.Field) []audit.Field {
	var out []audit.Field
	for _, f := range fields {
		if f.Old != f.New {
			out = append(out, f)
		}
	}
	return out
}

// DeleteDevice removes a device for good. Its number is never given again.
func (db *DB) DeleteDevice(ctx context.Context, scope Scope, id schema.DeviceID) error {
	return db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		d, err := lockDevice(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		return deleteDevice(ctx, tx, d)
	})
}

// deleteDevice notes until when the box was somebody's: what it heard by then must not
// become the next one's.
func deleteDevice(ctx context.Context, tx Tx, d Device) error {
	const bury = `INSERT INTO device_gone (number, mac, at)
		SELECT $1, $2::text::macaddr, clock_timestamp() WHERE EXISTS (SELECT FROM device_binding WHERE device = $3)`
	if _, err := tx.Exec(ctx, bury, d.Number, d.MAC, d.ID); err != nil {
		return explainDevice(err, "note the device's number")
	}
	if _, err := tx.Exec(ctx, `DELETE FROM device WHERE id = $1`, d.ID); err != nil {
		return explainDevice(err, "delete device")
	}
	fields := []audit.Field{{Name: "mac", Old: d.MAC}, {Name: "name", Old: d.Name}, {Name: "location", Old: d.LocationName}}
	tx.Record(audit.Entry{Organisation: d.Organisation, Action: audit.Delete, Object: d.object(), Fields: filled(fields)})
	return nil
}
