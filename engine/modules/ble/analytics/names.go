package analytics

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

const namesSQL = `SELECT id, name FROM names FINAL WHERE org = {org:UUID} AND kind = {kind:String} AND id IN ({ids:Array(UUID)})`

// LastNames returns what the organisation's things of a kind - "zone" or "tag" - were
// called last, also of those that are deleted. Things that never had a name, or that are
// another organisation's, are left out.
func (a *Analytics) LastNames(ctx context.Context, organisation schema.OrganisationID, kind string, ids [][16]byte) (map[[16]byte]string, error) {
	out := make(map[[16]byte]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	texts := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		texts[i] = id
	}
	s := new(statement).set("org", organisation.String()).set("kind", kind).set("ids", idArray(texts))
	err := a.ask(ctx, "names", namesSQL, s, func(rows driver.Rows) error {
		var id uuid.UUID
		var name string
		err := rows.Scan(&id, &name)
		out[id] = name
		return err
	})
	return out, err
}

const seenZonesSQL = `SELECT DISTINCT zone FROM zone_visits WHERE org = {org:UUID} AND location = {location:UUID} AND zone IN ({zones:Array(UUID)})`

// VisitedZones returns which of the zones had visits at the location, ever. A zone that
// is deleted is known by them.
func (a *Analytics) VisitedZones(ctx context.Context, organisation schema.OrganisationID, location schema.LocationID, zones []schema.ZoneID) (map[schema.ZoneID]bool, error) {
	out := make(map[schema.ZoneID]bool, len(zones))
	s := new(statement).set("org", organisation.String()).set("location", location.String()).set("zones", idArray(zones))
	err := a.ask(ctx, "zones", seenZonesSQL, s, func(rows driver.Rows) error {
		var id schema.ZoneID
		err := rows.Scan((*uuid.UUID)(&id))
		out[id] = true
		return err
	})
	return out, err
}
