package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// ChangeLocation lets change alter the location's name, address and time zone and
// stores the result; an error of change leaves all as it was, and so does a change
// that alters nothing.
func (db *DB) ChangeLocation(ctx context.Context, scope Scope, id schema.LocationID, change func(*Location) error) (Location, error) {
	var l Location
	err := db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		var err error
		if l, err = lockLocation(ctx, tx, scope, id); err != nil {
			return err
		}
		old := l
		if err := change(&l); err != nil {
			return err
		}
		var fields audit.Changes
		fields.Text("name", old.Name, l.Name)
		fields.Text("address", old.Address, l.Address)
		fields.Text("time_zone", old.TimeZone, l.TimeZone)
		if len(fields) == 0 {
			tx.Unrecorded("nothing was altered")
			return nil
		}
		tx.Record(audit.Entry{Organisation: l.Organisation, Action: audit.Change, Object: locationObject(old), Fields: fields})
		_, err = tx.Exec(ctx, `UPDATE location SET name = $2, address = $3, time_zone = $4 WHERE id = $1`, id, l.Name, l.Address, l.TimeZone)
		return Explain(err, "update location", locationConstraints)
	})
	return l, err
}

// RemoveLocation deletes the location with all plans that products have there; its
// devices stay in the organisation, at no location. may sees the locked location and
// refuses by an error.
func (db *DB) RemoveLocation(ctx context.Context, scope Scope, id schema.LocationID, may func(context.Context, Location) error) error {
	return db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		// Nobody adds a plan while the row is locked: its reference would need it.
		l, err := lockLocation(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if err := may(ctx, l); err != nil {
			return err
		}
		if err := freeDevices(ctx, tx, l); err != nil {
			return err
		}
		tx.Record(audit.Entry{
			Organisation: l.Organisation, Action: audit.Delete, Object: locationObject(l),
			Fields: []audit.Field{audit.Gone("address", l.Address), audit.Gone("time_zone", l.TimeZone)},
		})
		_, err = tx.Exec(ctx, `DELETE FROM location WHERE id = $1`, id)
		return Explain(err, "delete location", nil)
	})
}

// freeDevices takes all devices away from the location; they stay bound to its
// organisation without a gap.
func freeDevices(ctx context.Context, tx Tx, l Location) error {
	scan := func(row pgx.CollectableRow) (Device, error) {
		d := Device{Organisation: l.Organisation, OrganisationName: l.OrganisationName, Location: l.ID, LocationName: l.Name}
		return d, row.Scan(&d.ID, &d.Number)
	}
	devices, err := Collect(ctx, tx, scan, `SELECT id, number FROM device WHERE location = $1 ORDER BY number FOR UPDATE`, l.ID)
	if err != nil {
		return err
	}
	for _, d := range devices {
		fields, err := rebind(ctx, tx, d, l.Organisation, schema.LocationID{})
		if err != nil {
			return err
		}
		object := audit.Object{Kind: "device", ID: d.ID.String(), Name: "Receiver #" + strconv.FormatInt(d.Number, 10)}
		tx.Record(audit.Entry{Organisation: l.Organisation, Action: audit.Change, Object: object, Fields: fields})
	}
	return nil
}

// lockLocation returns the location that may be changed, locked.
func lockLocation(ctx context.Context, tx Tx, scope Scope, id schema.LocationID) (Location, error) {
	var where Where
	where.Scope("l.org", scope)
	where.Location("l.id", scope)
	where.Add("l.id = ?", id)
	var one int
	if err := tx.QueryRow(ctx, `SELECT 1 FROM location l`+where.String()+` FOR UPDATE`, where.Args()...).Scan(&one); err != nil {
		return Location{}, Explain(err, "lock location", nil)
	}
	l, err := locations().One(ctx, tx, &where)
	if err == nil {
		err = scope.MayChange(id)
	}
	return l, err
}

func locationObject(l Location) audit.Object {
	return audit.Object{Kind: "location", ID: l.ID.String(), Name: l.Name}
}
