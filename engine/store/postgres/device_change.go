package postgres

import (
	"context"
	"errors"
	"strings"

	"mybeacon/engine/audit"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// DevicePatch changes what is not nil. A zero location takes the device away
// from its location.
type DevicePatch struct {
	Location *schema.LocationID
	Name     *string
	Clock    *string
	Modules  map[string]bool // switches these on or off in the configuration
}

// errUnchanged ends a transaction that found nothing to do.
var errUnchanged = errors.New("nothing changed")

// alterDevice runs do with the locked device in a transaction and records the fields
// that do returns; none: nothing is changed. It returns the device as it is then.
func (db *DB) alterDevice(ctx context.Context, scope Scope, id schema.DeviceID, do func(Tx, Device) ([]audit.Field, error)) (Device, error) {
	var after Device
	err := db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		before, err := lockDevice(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		after = before
		if err := scope.MayChange(before.Location); err != nil {
			return err
		}
		fields, err := do(tx, before)
		if err != nil {
			return err
		}
		if len(fields) == 0 {
			return errUnchanged
		}
		after, err = recordDevice(ctx, tx, scope, before, fields)
		return err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return after, err
}

// recordDevice records the change, in both logs when the device goes from one
// organisation to another.
func recordDevice(ctx context.Context, tx Tx, scope Scope, before Device, fields []audit.Field) (Device, error) {
	after, err := readDevice(ctx, tx, scope, before.ID)
	if err != nil {
		return Device{}, err
	}
	entry := audit.Entry{Organisation: before.Organisation, Action: audit.Change, Object: before.object(), Fields: fields}
	tx.Record(entry)
	if after.Organisation != before.Organisation && !after.Organisation.IsZero() && !before.Organisation.IsZero() {
		entry.Organisation, entry.Fields = after.Organisation, withoutOld(fields)
		tx.Record(entry)
	} else if before.Organisation.IsZero() && !after.Organisation.IsZero() {
		entry.Organisation = after.Organisation
		tx.Record(entry)
	}
	return after, nil
}

// withoutOld hides from the new organisation what was the old one's.
func withoutOld(fields []audit.Field) []audit.Field {
	out := make([]audit.Field, 0, len(fields))
	for _, f := range fields {
		f.Old = ""
		out = append(out, f)
	}
	return filled(out)
}

// ChangeDevice applies the patch and returns the device as it is then.
func (db *DB) ChangeDevice(ctx context.Context, scope Scope, id schema.DeviceID, patch DevicePatch) (Device, error) {
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		return patch.apply(ctx, tx, scope, d)
	})
}

// apply makes the changes and returns what differs then.
func (p DevicePatch) apply(ctx context.Context, tx Tx, scope Scope, d Device) ([]audit.Field, error) {
	var where Where
	var set []string
	var fields []audit.Field
	change := func(name, clause, old string, to *string) {
		if to != nil && *to != old {
			set = append(set, where.Bind(clause, *to))
			fields = append(fields, audit.Field{Name: name, Old: old, New: *to})
		}
	}
	change("name", "name = ?", d.Name, p.Name)
	change("clock", "clock = ?", d.Clock, p.Clock)
	if len(set) > 0 {
		where.Add("d.id = ?", d.ID)
		if _, err := tx.Exec(ctx, "UPDATE device d SET "+strings.Join(set, ", ")+where.String(), where.Args()...); err != nil {
			return nil, explainDevice(err, "update device")
		}
	}
	configured, err := p.switchModules(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	moved, err := p.move(ctx, tx, scope, d)
	return append(append(fields, configured...), moved...), err
}

func (p DevicePatch) switchModules(ctx context.Context, tx Tx, d Device) ([]audit.Field, error) {
	if len(p.Modules) == 0 {
		return nil, nil
	}
	return setConfig(ctx, tx, d, d.Config.Switch(p.Modules))
}

func (p DevicePatch) move(ctx context.Context, tx Tx, scope Scope, d Device) ([]audit.Field, error) {
	if p.Location == nil || *p.Location == d.Location {
		return nil, nil
	}
	if d.Organisation.IsZero() {
		return nil, schema.Errorf(schema.Conflict, "location_id", "%s is bound to nobody: bind it to an organisation first", d.Title())
	}
	if scope.MayChange(*p.Location) != nil && !p.Location.IsZero() {
		return nil, schema.Errorf(schema.NotFound, "location_id", "there is no such location that you may change")
	} else if p.Location.IsZero() && !scope.Everywhere() {
		return nil, schema.Errorf(schema.Forbidden, "location_id", "only who sees all locations may take a device away from its location")
	}
	return rebind(ctx, tx, d, d.Organisation, *p.Location)
}

// ConfigureDevice replaces the configuration; one that is as it was makes no new
// version.
func (db *DB) ConfigureDevice(ctx context.Context, scope Scope, id schema.DeviceID, config wire.DeviceConfig) (Device, error) {
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		return setConfig(ctx, tx, d, config)
	})
}

func setConfig(ctx context.Context, tx Tx, d Device, config wire.DeviceConfig) ([]audit.Field, error) {
	old, now := d.Config.JSON(), config.JSON()
	if string(old) == string(now) {
		return nil, nil
	}
	const update = `UPDATE device SET config = $2, config_version = config_version + 1, config_at = now() WHERE id = $1`
	if _, err := tx.Exec(ctx, update, d.ID, string(now)); err != nil {
		return nil, explainDevice(err, "store the configuration")
	}
	return []audit.Field{{Name: "configuration", Old: string(old), New: string(now)}}, nil
}
