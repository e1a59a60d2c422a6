// Package store keeps sensors. A Store is safe for concurrent use.
package store

import (
	"context"
	"embed"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the product's migrations.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return sub
}

// SensorKind is the kind of a sensor's id.
type SensorKind struct{}

// SensorID names a sensor.
type SensorID = schema.ID[SensorKind]

// Sensor is a thermometer at a location.
type Sensor struct {
	ID           SensorID              `json:"id" format:"uuid"`
	Organisation schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Location     schema.LocationID     `json:"location_id" format:"uuid"`
	Name         string                `json:"name"`
	Celsius      *float64              `json:"celsius" doc:"null: none yet"`
}

// Store keeps sensors.
type Store struct{ db *postgres.DB }

// New returns the store on the database.
func New(db *postgres.DB) *Store { return &Store{db} }

func sensors() postgres.List[Sensor] {
	return postgres.List[Sensor]{
		Select: "SELECT s.id, s.org, s.location, s.name, s.celsius FROM temperature_sensor s",
		Key:    "s.name", Cast: "text", ID: "s.id",
		Scan: func(row pgx.CollectableRow) (Sensor, error) {
			var s Sensor
			return s, row.Scan(&s.ID, &s.Organisation, &s.Location, &s.Name, &s.Celsius)
		},
		At: func(s Sensor) postgres.Cursor { return postgres.Cursor{Key: s.Name, ID: s.ID.String()} },
	}
}

// Sensors returns a page of the sensors in scope, by name.
func (s *Store) Sensors(ctx context.Context, scope postgres.Scope, page postgres.Page) ([]Sensor, postgres.Cursor, error) {
	var where postgres.Where
	where.Scope("s.org", scope)
	where.Location("s.location", scope)
	return sensors().Read(ctx, s.db.In(scope), &where, page)
}

// Sensor returns one sensor, or NotFound.
func (s *Store) Sensor(ctx context.Context, scope postgres.Scope, id SensorID) (Sensor, error) {
	var where postgres.Where
	where.Scope("s.org", scope)
	where.Location("s.location", scope)
	where.Add("s.id = ?", id)
	return sensors().One(ctx, s.db.In(scope), &where)
}

// Create stores a new sensor at the location.
func (s *Store) Create(ctx context.Context, scope postgres.Scope, location schema.LocationID, name string) (Sensor, error) {
	l, err := s.db.Location(ctx, scope, location)
	if err == nil {
		err = scope.MayChange(l.ID)
	}
	if err != nil {
		return Sensor{}, err
	}
	made := Sensor{ID: schema.NewID[SensorID](), Organisation: l.Organisation, Location: l.ID, Name: name}
	err = s.db.Change(ctx, scope, "temperature", func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Organisation: l.Organisation, Action: audit.Create, Object: audit.Object{Kind: "sensor", ID: made.ID.String(), Name: name}})
		const insert = `INSERT INTO temperature_sensor (id, org, location, name) VALUES ($1, $2, $3, $4)`
		_, err := tx.Exec(ctx, insert, made.ID, l.Organisation, l.ID, name)
		return postgres.Explain(err, "insert sensor", nil)
	})
	return made, err
}

// Rename changes the name of a sensor and returns it as it is then.
func (s *Store) Rename(ctx context.Context, scope postgres.Scope, id SensorID, name string) (Sensor, error) {
	was, err := s.Sensor(ctx, scope, id)
	if err == nil {
		err = scope.MayChange(was.Location)
	}
	if err != nil {
		return was, err
	}
	err = s.db.Change(ctx, scope, "temperature", func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Organisation: was.Organisation, Action: audit.Change, Object: audit.Object{Kind: "sensor", ID: id.String(), Name: was.Name},
			Fields: []audit.Field{{Name: "name", Old: was.Name, New: name}}})
		_, err := tx.Exec(ctx, `UPDATE temperature_sensor SET name = $2 WHERE id = $1`, id, name)
		return postgres.Explain(err, "update sensor", nil)
	})
	was.Name = name
	return was, err
}

// Find returns up to most sensors that the scope sees and that match.
func (s *Store) Find(ctx context.Context, scope postgres.Scope, sought postgres.Sought, most int) ([]schema.Found, error) {
	return s.db.Find(ctx, scope, sought, most, []postgres.Finding{{
		Kind:   "sensor",
		Select: "SELECT s.org, s.id::text, s.name, '', '/temperature/' || s.id FROM temperature_sensor s",
		Where: func(w *postgres.Where, sought postgres.Sought) {
			w.Scope("s.org", scope)
			w.Location("s.location", scope)
			w.Add("strpos(lower(s.name), ?) > 0", sought.Text)
		},
	}})
}
