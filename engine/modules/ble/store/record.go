package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// record writes down what was done to a part of the plan.
func (o owner) record(tx postgres.Tx, action audit.Action, object audit.Object, fields ...audit.Field) {
	tx.Record(audit.Entry{
		Organisation: o.organisation, Action: action, Object: object,
		Fields: append([]audit.Field{audit.Of("plan", o.name)}, fields...),
	})
}

func recordPlan(tx postgres.Tx, of owner, action audit.Action, id schema.PlanID, fields ...audit.Field) {
	tx.Record(audit.Entry{
		Organisation: of.organisation, Action: action, Object: audit.Object{Kind: "plan", ID: id.String(), Name: of.name}, Fields: fields,
	})
}

// changesOf tells what differs between two states of a plan.
func changesOf(old, now Plan) []audit.Field {
	var c audit.Changes
	c.Text("name", old.Name, now.Name)
	c.Number("level", float64(old.Level), float64(now.Level))
	c.Text("bounds", extent(old.Bounds), extent(now.Bounds))
	c.Number("tag_height_m", old.TagHeightM, now.TagHeightM)
	c.JSON("walls", old.Walls, now.Walls)
	c.JSON("no_go", old.NoGo, now.NoGo)
	c.JSON("rooms", old.Figures.Rooms, now.Figures.Rooms)
	c.JSON("doors", old.Figures.Doors, now.Figures.Doors)
	c.JSON("labels", old.Figures.Labels, now.Figures.Labels)
	c.JSON("image", old.Image, now.Image)
	c.Text("zones_by", old.ZonesBy, now.ZonesBy)
	return c
}

func extent(r schema.Rect) string {
	return fmt.Sprintf("%g, %g … %g, %g", r.Min.X, r.Min.Y, r.Max.X, r.Max.Y)
}

func point(x, y float64) string { return fmt.Sprintf("%g, %g", x, y) }

func receiverObject(id schema.ReceiverID, number int64) audit.Object {
	return audit.Object{Kind: "receiver", ID: id.String(), Name: "Receiver #" + strconv.FormatInt(number, 10)}
}

// receiverNow returns the receiver of the plan as it is in the transaction.
func receiverNow(ctx context.Context, tx postgres.Tx, plan schema.PlanID, id schema.ReceiverID) (Receiver, error) {
	var r Receiver
	err := tx.QueryRow(ctx, selectReceiver+" WHERE r.id = $1 AND r.plan = $2", id, plan).
		Scan(&r.ID, &r.Plan, &r.Device, &r.Number, &r.Name, &r.X, &r.Y, &r.Z, &r.Rotation, &r.GainDB)
	return r, postgres.Explain(err, "read receiver", nil)
}

func recordReceiver(tx postgres.Tx, of owner, action audit.Action, old, now Receiver) {
	var c audit.Changes
	if old.Number != 0 && now.Number != 0 {
		c.Number("device", float64(old.Number), float64(now.Number))
	}
	c.Text("place", point(old.X, old.Y), point(now.X, now.Y))
	c.Number("height_m", old.Z, now.Z)
	c.Number("rotation", old.Rotation, now.Rotation)
	c.Number("gain_db", old.GainDB, now.GainDB)
	if old.Number == 0 {
		c = audit.Changes{audit.Made("place", point(now.X, now.Y))}
	}
	of.record(tx, action, receiverObject(now.ID, now.Number), c...)
}

func zoneObject(z Zone) audit.Object {
	name := z.Name
	if name == "" {
		name = "#" + strconv.Itoa(z.Number)
	}
	return audit.Object{Kind: "zone", ID: z.ID.String(), Name: name}
}

// changesOfZone tells what differs between two states of a zone.
func changesOfZone(old, now Zone) []audit.Field {
	var c audit.Changes
	c.Text("name", old.Name, now.Name)
	c.Text("color", old.Color, now.Color)
	c.Text("parent", idOf(old.Parent), idOf(now.Parent))
	c.Text("capacity", capacityOf(old), capacityOf(now))
	c.JSON("polygon", old.Polygon, now.Polygon)
	return c
}

func capacityOf(z Zone) string {
	if z.Capacity == nil {
		return ""
	}
	return strconv.Itoa(*z.Capacity)
}

func idOf(id schema.ZoneID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

func surveyObject(v Survey) audit.Object {
	return audit.Object{Kind: "survey", ID: v.ID.String(), Name: v.Name}
}

func counted(n int) audit.Field { return audit.Made("readings", strconv.Itoa(n)) }

// tagNow returns what people call the tag, and of which type it is; the zero tag is
// one that there is not.
func tagNow(ctx context.Context, tx postgres.Tx, id schema.TagID) (schema.Tag, error) {
	t := schema.Tag{ID: id}
	err := tx.QueryRow(ctx, `SELECT org, name, type FROM ble_tag WHERE id = $1`, id).Scan(&t.Organisation, &t.Name, &t.Type)
	if errors.Is(err, pgx.ErrNoRows) {
		return schema.Tag{}, nil
	}
	return t, postgres.Explain(err, "read tag", nil)
}

// tagObject names the tag. What a person carries is called by his name.
func tagObject(t schema.Tag) audit.Object {
	return audit.Object{Kind: "tag", ID: t.ID.String(), Name: t.Name, Personal: t.Type == "person"}
}

func referenceObject(t schema.Tag) audit.Object {
	o := tagObject(t)
	o.Kind = "reference"
	return o
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func exampleObject(id ExampleID) audit.Object { return audit.Object{Kind: "example", ID: id.String()} }

// exampleFields says of which tag, zone and time an example is.
func exampleFields(ctx context.Context, tx postgres.Tx, e Example) ([]audit.Field, error) {
	tag, err := tagNow(ctx, tx, e.Tag)
	if err != nil {
		return nil, err
	}
	carrier := audit.Of("tag", tag.Name)
	carrier.Personal = tagObject(tag).Personal
	zone := "" // outside of all zones
	if !e.Zone.IsZero() {
		z, err := zoneOf(ctx, tx, e.Plan, e.Zone)
		if err != nil {
			return nil, postgres.Explain(err, "read zone", nil)
		}
		zone = zoneObject(z).Name
	}
	period := e.From.UTC().Format(time.RFC3339) + " - " + e.To.UTC().Format(time.RFC3339)
	return []audit.Field{carrier, audit.Of("zone", zone), audit.Of("period", period)}, nil
}
