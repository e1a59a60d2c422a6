package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// importChunk is how many lines share a transaction: one of all would hold its locks
// for too long, one each would take minutes.
const importChunk = 250

// DeviceLine is one line of a table of devices. What is nil changes nothing.
type DeviceLine struct {
	Line     int // in the file
	MAC      string
	Name     *string
	Location *string // its name; empty: at none
	Clock    *string
	Modules  map[string]bool
	Err      error // why the line is not done
}

// DeviceLineResult is what became of a line.
type DeviceLineResult struct {
	Created, Changed bool
	Err              error // of this line alone
}

// ImportDevices registers and changes the organisation's devices by their MAC
// addresses, and returns what became of each line. A line that is wrong changes nothing,
// and the others are done. In a dry run all is tried, and nothing stays.
func (db *DB) ImportDevices(ctx context.Context, scope Scope, organisation schema.OrganisationID, lines []DeviceLine, dry bool) ([]DeviceLineResult, error) {
	results := make([]DeviceLineResult, 0, len(lines))
	seen := make(map[string]bool, len(lines))
	for chunk := range slices.Chunk(lines, importChunk) {
		err := db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
			im, err := newImport(ctx, tx, scope, organisation, seen)
			if err != nil {
				return err
			}
			for _, line := range chunk {
				results = append(results, im.line(ctx, line))
			}
			if dry || !im.changed {
				return errUnchanged
			}
			return im.broken
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			return nil, err
		}
	}
	return results, nil
}

// deviceImport is the import of one chunk.
type deviceImport struct {
	tx        Tx
	scope     Scope
	org       schema.OrganisationID
	locations map[string]schema.LocationID
	seen      map[string]bool // MAC addresses of the lines before
	changed   bool
	broken    error // the store failed, not a line
}

func newImport(ctx context.Context, tx Tx, scope Scope, org schema.OrganisationID, seen map[string]bool) (*deviceImport, error) {
	im := &deviceImport{tx: tx, scope: scope, org: org, locations: map[string]schema.LocationID{}, seen: seen}
	var where Where
	where.Scope("l.org", scope)
	where.Location("l.id", scope)
	rows, err := tx.Query(ctx, "SELECT l.name, l.id FROM location l"+where.String(), where.Args()...)
	if err != nil {
		return nil, Explain(err, "read locations", nil)
	}
	var name string
	var id schema.LocationID
	_, err = pgx.ForEachRow(rows, []any{&name, &id}, func() error {
		im.locations[name] = id
		return nil
	})
	return im, Explain(err, "read locations", nil)
}

// line does one line in a savepoint of its own, so that a wrong one undoes only itself.
func (im *deviceImport) line(ctx context.Context, l DeviceLine) DeviceLineResult {
	if l.Err != nil {
		return DeviceLineResult{Err: l.Err}
	}
	if im.seen[l.MAC] {
		return DeviceLineResult{Err: schema.Errorf(schema.Conflict, "mac", "%s stands in a line before already", l.MAC)}
	}
	im.seen[l.MAC] = true
	var result DeviceLineResult
	err := pgx.BeginFunc(ctx, im.tx, func(inner pgx.Tx) error {
		var err error
		result, err = im.apply(ctx, nested{inner, im.tx}, l)
		return err
	})
	switch err = Explain(err, "import a line", deviceConstraints); {
	case err == nil:
		im.changed = im.changed || result.Created || result.Changed
		return result
	case schema.KindOf(err) == schema.Internal || schema.KindOf(err) == schema.Unavailable:
		im.broken = errors.Join(im.broken, err)
	}
	return DeviceLineResult{Err: err}
}

// nested is a savepoint whose entries are the whole transaction's.
type nested struct {
	pgx.Tx
	recorder
}

type recorder interface {
	Record(audit.Entry)
	Unrecorded(why string)
}

func (im *deviceImport) apply(ctx context.Context, tx Tx, l DeviceLine) (DeviceLineResult, error) {
	var where Where
	where.Scope("d.org", im.scope) // a device at a location that is hidden is there all the same
	where.Add("d.mac = ?::text::macaddr", l.MAC)
	var id schema.DeviceID
	err := tx.QueryRow(ctx, "SELECT d.id FROM device d"+where.String(), where.Args()...).Scan(&id)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return DeviceLineResult{}, err
	}
	location, err2 := im.location(l.Location)
	if err2 != nil {
		return DeviceLineResult{}, err2
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return im.create(ctx, tx, l, location)
	}
	d, err := lockDevice(ctx, tx, im.scope, id)
	if err != nil {
		return DeviceLineResult{}, err
	}
	if err := im.scope.MayChange(d.Location); err != nil {
		return DeviceLineResult{}, err
	}
	fields, err := DevicePatch{Name: l.Name, Clock: l.Clock, Modules: l.Modules, Location: location}.apply(ctx, tx, im.scope, d)
	if err != nil || len(fields) == 0 {
		return DeviceLineResult{}, err
	}
	_, err = recordDevice(ctx, tx, im.scope, d, fields)
	return DeviceLineResult{Changed: true}, err
}

func (im *deviceImport) location(name *string) (*schema.LocationID, error) {
	if name == nil {
		return nil, nil
	}
	if *name == "" {
		return new(schema.LocationID), nil
	}
	id, known := im.locations[*name]
	if !known {
		return nil, schema.Errorf(schema.NotFound, "location", "there is no location %.200q", *name)
	}
	return &id, nil
}

func (im *deviceImport) create(ctx context.Context, tx Tx, l DeviceLine, location *schema.LocationID) (DeviceLineResult, error) {
	d := Device{MAC: l.MAC, Clock: ClockDevice, Organisation: im.org}
	if location != nil {
		d.Location = *location
	}
	if err := im.scope.MayChange(d.Location); err != nil {
		return DeviceLineResult{}, schema.Errorf(schema.Forbidden, "location", "name a location that you may change")
	}
	if l.Name != nil {
		d.Name = *l.Name
	}
	if l.Clock != nil {
		d.Clock = *l.Clock
	}
	made, err := insertDevice(ctx, tx, im.scope, d, newCredentials{})
	if err != nil {
		return DeviceLineResult{}, err
	}
	if len(l.Modules) > 0 {
		_, err = setConfig(ctx, tx, made, made.Config.Switch(l.Modules))
	}
	return DeviceLineResult{Created: true}, err
}
