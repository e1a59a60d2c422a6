package postgres

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// BindDevice binds the device to the organisation, at the location unless that is
// zero. From another organisation's it becomes this one's: the old token, which people
// there know, opens nothing any more.
func (db *DB) BindDevice(ctx context.Context, scope Scope, id schema.DeviceID, to schema.OrganisationID, at schema.LocationID) (Device, error) {
	if to.IsZero() {
		return Device{}, schema.Errorf(schema.Invalid, "organisation_id", "is required")
	}
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		if d.Organisation == to && d.Location == at {
			return nil, nil
		}
		return rebind(ctx, tx, d, to, at)
	})
}

// UnbindDevice takes the device away from its organisation and location. Its token
// opens nothing any more, since people there know it; a device with a key goes on.
func (db *DB) UnbindDevice(ctx context.Context, scope Scope, id schema.DeviceID) (Device, error) {
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		if d.Organisation.IsZero() {
			return nil, nil
		}
		return rebind(ctx, tx, d, schema.OrganisationID{}, schema.LocationID{})
	})
}

// rebind moves the locked device, ends its present binding and begins the next one.
func rebind(ctx context.Context, tx Tx, d Device, to schema.OrganisationID, at schema.LocationID) ([]audit.Field, error) {
	leaves := !d.Organisation.IsZero() && d.Organisation != to
	const update = `UPDATE device SET org = $2, location = $3, self_registered = self_registered AND $2::uuid IS NULL,
		token_hash = CASE WHEN $4 THEN NULL ELSE token_hash END, login_hash = CASE WHEN $4 THEN NULL ELSE login_hash END WHERE id = $1`
	if _, err := tx.Exec(ctx, update, d.ID, to, at, leaves); err != nil {
		return nil, explainDevice(err, "bind device")
	}
	if !d.Organisation.IsZero() {
		// The clock after the row was locked: intervals follow each other in the order of
		// the changes, also when transactions began in another one.
		const end = `UPDATE device_binding SET to_at = greatest(from_at, clock_timestamp()) WHERE device = $1 AND to_at IS NULL`
		if _, err := tx.Exec(ctx, end, d.ID); err != nil {
			return nil, explainDevice(err, "end the binding")
		}
	}
	next := d
	next.Organisation, next.Location = to, at
	if !to.IsZero() {
		if err := openBinding(ctx, tx, next, start{follows: !d.Organisation.IsZero()}); err != nil {
			return nil, err
		}
	}
	return boundFields(ctx, tx, d, to, at)
}

// start says how a binding begins.
type start struct {
	// follows the one before without a gap, in which what is heard would be nobody's.
	follows bool
	// bornAs is the MAC address of a device that is new: what it heard before is its
	// first owner's, unless the box was registered before.
	bornAs string
}

// openBinding begins the binding of the device as it is bound now.
func openBinding(ctx context.Context, tx Tx, d Device, s start) error {
	const begin = `INSERT INTO device_binding (device, number, org, location, from_at, since_ever, by_account)
		SELECT $1, coalesce(max(number), 0) + 1, $2, $3, CASE WHEN $6 THEN max(to_at) ELSE greatest(max(to_at), clock_timestamp()) END,
			$4 <> '' AND NOT EXISTS (SELECT FROM device_gone WHERE mac = nullif($4, '')::macaddr), $5
		FROM device_binding WHERE device = $1`
	by := audit.ActorOf(ctx).User
	_, err := tx.Exec(ctx, begin, d.ID, d.Organisation, d.Location, s.bornAs, by, s.follows)
	return explainDevice(err, "begin the binding")
}

func boundFields(ctx context.Context, tx Tx, d Device, to schema.OrganisationID, at schema.LocationID) ([]audit.Field, error) {
	var organisation, location string
	const names = `SELECT coalesce((SELECT name FROM organisation WHERE id = $1), ''), coalesce((SELECT name FROM location WHERE id = $2), '')`
	if err := tx.QueryRow(ctx, names, to, at).Scan(&organisation, &location); err != nil {
		return nil, explainDevice(err, "read names")
	}
	return filled([]audit.Field{
		{Name: "organisation", Old: d.OrganisationName, New: organisation}, {Name: "location", Old: d.LocationName, New: location},
	}), nil
}

// BindingInterval is where a device was bound from when to when.
type BindingInterval struct {
	Number           int64 // within the device, from 1
	Organisation     schema.OrganisationID
	OrganisationName string
	Location         schema.LocationID // zero: at none
	LocationName     string
	From             time.Time
	To               time.Time // zero: to this day
	SinceEver        bool      // what the device heard before From is this one's too
	By               string    // e-mail of who bound it; empty: nobody whom the reader may know
}

// DeviceBindings returns where the device was bound, the newest first, as far as the
// scope reaches, at most [MaxLimit].
func (db *DB) DeviceBindings(ctx context.Context, scope Scope, id schema.DeviceID) ([]BindingInterval, error) {
	if _, err := db.Device(ctx, scope, id); err != nil {
		return nil, err
	}
	var where Where
	where.Scope("b.org", scope)
	where.Location("b.location", scope)
	where.Add("b.device = ?", id)
	sql := `SELECT b.number, b.org, o.name, b.location, coalesce(l.name, ''), b.from_at, b.to_at, b.since_ever, coalesce(a.email, '')
		FROM device_binding b JOIN organisation o ON o.id = b.org LEFT JOIN location l ON l.org = b.org AND l.id = b.location
		LEFT JOIN account a ON a.id = b.by_account AND (a.org = b.org OR ` + where.Bind("?", scope.all) + `)` +
		where.String() + ` ORDER BY b.number DESC LIMIT 200`
	return Collect(ctx, db.In(scope), func(row pgx.CollectableRow) (BindingInterval, error) {
		var b BindingInterval
		var to *time.Time
		err := row.Scan(&b.Number, &b.Organisation, &b.OrganisationName, &b.Location, &b.LocationName, &b.From, &to, &b.SinceEver, &b.By)
		b.To = orZero(to)
		return b, err
	}, sql, where.Args()...)
}

// Binding is a device as the engine needs it: with its organisation's retention in
// days, what lets it in (SHA-256, zero when it has none), its configuration, and whose
// it was before. An unbound device has KeepDays 0.
type Binding struct {
	Device
	KeepDays     uint16
	TokenHash    [sha256.Size]byte
	LoginHash    [sha256.Size]byte
	LoginExpires time.Time
	ConfigJSON   string    // as stored; empty: all has its default
	Since        time.Time // of the present binding; zero: what it heard ever is its organisation's
	Former       []Former  // the newest first, at most [MaxFormer]
}

// Former is a binding that has ended.
type Former struct {
	Organisation schema.OrganisationID
	Location     schema.LocationID
	KeepDays     uint16
	From         time.Time // zero: what was heard ever before To
	To           time.Time
}

// MaxFormer bounds the ended bindings of a device that the engine knows: what was heard
// before the oldest of them is nobody's.
const MaxFormer = 8

const selectBinding = `SELECT d.id, d.number, d.org, d.location, d.clock, coalesce(o.keep_days, 0), d.token_hash, d.login_hash, d.login_expires,
		d.config_version, CASE WHEN d.config = '{}' THEN '' ELSE d.config::text END, CASE WHEN NOT b.since_ever THEN b.from_at END
	FROM device d LEFT JOIN organisation o ON o.id = d.org LEFT JOIN device_binding b ON b.device = d.id AND b.to_at IS NULL`

func scanBinding(row pgx.CollectableRow) (Binding, error) {
	var b Binding
	var keep int32
	var token, login []byte
	var expires, since *time.Time
	err := row.Scan(&b.ID, &b.Number, &b.Organisation, &b.Location, &b.Clock, &keep, &token, &login, &expires, &b.ConfigVersion, &b.ConfigJSON, &since)
	b.KeepDays, b.LoginExpires, b.Since = uint16(keep), orZero(expires), orZero(since)
	copy(b.TokenHash[:], token)
	copy(b.LoginHash[:], login)
	return b, err
}

// Bindings returns every device in scope, for the engine's directory. Of the device
// itself only the id, number, clock, organisation, location and the configuration's
// version are read.
func (db *DB) Bindings(ctx context.Context, scope Scope) ([]Binding, error) {
	var list []Binding
	err := db.Read(ctx, scope, func(tx Tx) error {
		var where Where
		where.Scope("d.org", scope)
		var err error
		list, err = Collect(ctx, tx, scanBinding, selectBinding+where.String()+" ORDER BY d.number", where.Args()...)
		if err != nil {
			return err
		}
		return addFormer(ctx, tx, list)
	})
	return list, err
}

// addFormer reads the ended bindings of those devices that have some: few ever move.
func addFormer(ctx context.Context, q Rows, list []Binding) error {
	const sql = `SELECT device, org, location, keep_days, CASE WHEN NOT since_ever THEN from_at END, to_at FROM (
			SELECT b.*, o.keep_days, row_number() OVER (PARTITION BY b.device ORDER BY b.number DESC) AS age
			FROM device_binding b JOIN organisation o ON o.id = b.org 
			WHERE b.to_at IS NOT NULL AND ($2::uuid[] IS NULL OR b.device = ANY($2))) b
		WHERE age <= $1 ORDER BY device, number DESC`
	var some []string // nil: all
	if len(list) == 1 {
		some = []string{list[0].ID.String()}
	}
	at := make(map[schema.DeviceID]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	rows, err := q.Query(ctx, sql, MaxFormer, some)
	if err != nil {
		return Explain(err, "read ended bindings", nil)
	}
	var id schema.DeviceID
	var f Former
	var keep int32
	var from *time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &f.Organisation, &f.Location, &keep, &from, &f.To}, func() error {
		if i, known := at[id]; known {
			f.KeepDays, f.From = uint16(keep), orZero(from)
			list[i].Former = append(list[i].Former, f)
		}
		return nil
	})
	return Explain(err, "read ended bindings", nil)
}
