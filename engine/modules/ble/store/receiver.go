package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

const selectReceiver = `SELECT r.id, r.plan, r.device, d.number, d.name, r.x, r.y, r.z, r.rotation, r.gain_db
	FROM ble_receiver r JOIN device d ON d.id = r.device`

func scanReceiver(row pgx.CollectableRow) (Receiver, error) {
	var r Receiver
	return r, row.Scan(&r.ID, &r.Plan, &r.Device, &r.Number, &r.Name, &r.X, &r.Y, &r.Z, &r.Rotation, &r.GainDB)
}

var receiverConstraints = postgres.Constraints{
	"ble_receiver_device_key": schema.Errorf(schema.Conflict, "device_id", "the device hangs somewhere already; remove it there first"),
}

// PlaceReceiver hangs a device of the plan's organisation on the plan. A device
// without a location comes to the plan's; one of another location is a Conflict.
func (s *Store) PlaceReceiver(ctx context.Context, scope postgres.Scope, r Receiver) (Receiver, error) {
	r.ID = schema.NewID[schema.ReceiverID]()
	err := s.changePlan(ctx, scope, r.Plan, wordReceivers, func(tx postgres.Tx, of owner) error {
		if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_receiver WHERE plan = $1", r.Plan, maxReceivers); err != nil {
			return err
		}
		if err := s.settle(ctx, tx, scope, r.Device, of); err != nil {
			return err
		}
		const insert = `INSERT INTO ble_receiver (id, org, plan, device, x, y, z, rotation, gain_db) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
		_, err := tx.Exec(ctx, insert, r.ID, of.organisation, r.Plan, r.Device, r.X, r.Y, r.Z, r.Rotation, r.GainDB)
		if err != nil {
			return postgres.Explain(err, "insert receiver", receiverConstraints)
		}
		if r, err = receiverNow(ctx, tx, r.Plan, r.ID); err != nil {
			return err
		}
		recordReceiver(tx, of, audit.Create, Receiver{}, r)
		r.PlanVersion = of.version
		return nil
	})
	return r, err
}

// settle brings the device to the plan's location. One at no location is found by who
// sees all of the organisation only.
func (s *Store) settle(ctx context.Context, tx postgres.Tx, scope postgres.Scope, device schema.DeviceID, of owner) error {
	var at schema.LocationID
	const find = `SELECT location FROM device WHERE id = $1 AND org = $2 FOR UPDATE`
	err := tx.QueryRow(ctx, find, device, of.organisation).Scan(&at)
	switch err = postgres.Explain(err, "find device", nil); {
	case err != nil && schema.KindOf(err) == schema.NotFound, err == nil && !scope.Sees(at):
		return schema.Errorf(schema.NotFound, "device_id", "the organisation has no such device")
	case err != nil:
		return err
	case at == of.location:
		return nil
	case !at.IsZero():
		if err := scope.MayChange(at); err != nil {
			return err
		}
		return schema.Errorf(schema.Conflict, "device_id", "the device belongs to another location; move it to this one first")
	}
	if err := s.bring(ctx, tx, device, of); err != nil {
		return err
	}
	return s.db.Announce(ctx, tx, postgres.CoreTopic)
}

// bring moves the device to the plan's location.
func (s *Store) bring(ctx context.Context, tx postgres.Tx, device schema.DeviceID, of owner) error {
	var number int64
	var location string
	const update = `UPDATE device d SET location = l.id FROM location l WHERE d.id = $1 AND l.id = $2 RETURNING d.number, l.name`
	if err := tx.QueryRow(ctx, update, device, of.location).Scan(&number, &location); err != nil {
		return postgres.Explain(err, "move device", nil)
	}
	object := audit.Object{Kind: "device", ID: device.String(), Name: "Receiver #" + strconv.FormatInt(number, 10)}
	tx.Record(audit.Entry{
		Organisation: of.organisation, Action: audit.Change, Object: object, Fields: []audit.Field{audit.Made("location", location)},
	})
	return nil
}

// MoveReceiver changes a receiver of the plan: its place, and the device where
// one was swapped. A move to where it is changes nothing.
func (s *Store) MoveReceiver(ctx context.Context, scope postgres.Scope, r Receiver) (Receiver, error) {
	var now Receiver
	err := s.changePlan(ctx, scope, r.Plan, wordReceivers, func(tx postgres.Tx, of owner) error {
		old, err := receiverNow(ctx, tx, r.Plan, r.ID)
		if err != nil {
			return err
		}
		r.Number, r.Name = old.Number, old.Name
		if now = old; r == old {
			now.PlanVersion = of.version - 1
			return errUnchanged
		}
		if err := s.settle(ctx, tx, scope, r.Device, of); err != nil {
			return err
		}
		const update = `UPDATE ble_receiver SET device = $3, x = $4, y = $5, z = $6, rotation = $7, gain_db = $8 WHERE id = $1 AND plan = $2`
		if err := affected(tx.Exec(ctx, update, r.ID, r.Plan, r.Device, r.X, r.Y, r.Z, r.Rotation, r.GainDB)); err != nil {
			return postgres.Explain(err, "update receiver", receiverConstraints)
		}
		if now, err = receiverNow(ctx, tx, r.Plan, r.ID); err != nil {
			return err
		}
		recordReceiver(tx, of, audit.Change, old, now)
		now.PlanVersion = of.version
		return nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return now, err
}

// RemoveReceiver takes a receiver off the plan with what is known of its radio;
// the device stays.
func (s *Store) RemoveReceiver(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ReceiverID) error {
	return s.changePlan(ctx, scope, plan, wordReceivers, func(tx postgres.Tx, of owner) error {
		old, err := receiverNow(ctx, tx, plan, id)
		if err != nil {
			return err
		}
		of.record(tx, audit.Delete, receiverObject(id, old.Number))
		for _, sql := range []string{
			`DELETE FROM ble_survey_reading WHERE plan = $1 AND receiver = $2`,
			`DELETE FROM ble_reference_reading WHERE plan = $1 AND receiver = $2`,
		} {
			if err := forget(ctx, tx, plan, sql, id); err != nil {
				return err
			}
		}
		err = affected(tx.Exec(ctx, `DELETE FROM ble_receiver WHERE id = $1 AND plan = $2`, id, plan))
		return postgres.Explain(err, "delete receiver", nil)
	})
}

// PlaceOf returns the name of the plan on which the device hangs, "" for none.
func (s *Store) PlaceOf(ctx context.Context, scope postgres.Scope, device schema.DeviceID) (string, error) {
	var where postgres.Where
	where.Scope("r.org", scope)
	where.Location("p.location", scope)
	where.Add("r.device = ?", device)
	sql := `SELECT p.name FROM ble_receiver r JOIN ble_plan p ON p.id = r.plan` + where.String()
	names, err := postgres.Collect(ctx, s.db.In(scope), pgx.RowTo[string], sql, where.Args()...)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[0], nil
}
