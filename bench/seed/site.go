package seed

import (
	"context"
	"fmt"
	"hash/fnv"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// site is the building in the stores.
type site struct {
	result   Result
	keepDays uint16
	zones    []schema.ZoneID // as Life.Zones
	tags     []schema.TagID  // as Life.Tags
	names    []module.Name
}

const keepDays = 730 // so that a year can be compared with the one before

func siteName(language string, nth int) string {
	name := words{"Деловой центр", "Business centre"}.in(language)
	if nth > 1 {
		name = fmt.Sprintf("%s %d", name, nth)
	}
	return name
}

// settle makes the organisation unless there is one, and in it the location with its
// plans, zones and tags.
func settle(ctx context.Context, cfg *Config, life *Life) (*site, error) {
	o, err := organisation(ctx, cfg)
	if err != nil {
		return nil, err
	}
	nth, err := nextLocation(ctx, cfg, o.ID)
	if err != nil {
		return nil, err
	}
	l, err := cfg.DB.CreateLocation(ctx, o.ID, postgres.Location{Name: siteName(cfg.Language, nth), TimeZone: cfg.TimeZone})
	if err != nil {
		return nil, err
	}
	s := &site{result: Result{Organisation: o.ID, Location: l.ID, Name: l.Name}, keepDays: o.KeepDays}
	s.called("location", l.ID, l.Name)
	s.zones = make([]schema.ZoneID, len(life.zones))
	of := store.New(cfg.DB)
	for f := range life.floors {
		if err := s.makePlan(ctx, of, cfg, life, f); err != nil {
			return nil, err
		}
	}
	return s, s.makeTags(ctx, of, cfg, life, nth)
}

func (s *site) called(kind string, id [16]byte, name string) {
	s.names = append(s.names, module.Name{Organisation: s.result.Organisation, Kind: kind, ID: id, Name: name})
}

func organisation(ctx context.Context, cfg *Config) (postgres.Organisation, error) {
	found, _, err := cfg.DB.Organisations(ctx, postgres.AllOrganisations(), postgres.OrganisationFilter{Name: cfg.Organisation}, postgres.Page{Limit: 1})
	if err != nil || len(found) > 0 {
		return first(found), err
	}
	return cfg.DB.CreateOrganisation(ctx, postgres.Organisation{Name: cfg.Organisation, TimeZone: cfg.TimeZone, KeepDays: keepDays, Products: []string{"ble"}})
}

func first[T any](found []T) (v T) {
	if len(found) > 0 {
		v = found[0]
	}
	return v
}

// maxAgain is how often an organisation can be given such a past.
const maxAgain = 100

// nextLocation returns the number of the location that is to be made.
func nextLocation(ctx context.Context, cfg *Config, o schema.OrganisationID) (int, error) {
	for nth := 1; nth <= maxAgain; nth++ {
		found, _, err := cfg.DB.Locations(ctx, postgres.In(o), postgres.LocationFilter{Name: siteName(cfg.Language, nth)}, postgres.Page{Limit: 1})
		switch {
		case err != nil:
			return 0, err
		case len(found) == 0:
			return nth, nil
		case !cfg.Again:
			return 0, schema.Errorf(schema.Conflict, "again", "%q has been given a past already, at %q; --again makes another location beside it", cfg.Organisation, found[0].Name)
		}
	}
	return 0, schema.Errorf(schema.TooLarge, "again", "%q has %d such locations already", cfg.Organisation, maxAgain)
}

func (s *site) makePlan(ctx context.Context, of *store.Store, cfg *Config, life *Life, f int) error {
	scope := postgres.In(s.result.Organisation)
	p, err := of.CreatePlan(ctx, scope, store.Plan{
		Location: s.result.Location, Name: life.floors[f].name.in(cfg.Language), Level: f, Bounds: schema.Rect{Max: schema.Point{X: width, Y: depth}},
		TagHeightM: 1.2, Walls: walls(&life.floors[f]), NoGo: [][]store.Corner{}, ZonesBy: store.ZonesByPosition,
	})
	if err != nil {
		return err
	}
	s.result.Plans = append(s.result.Plans, p.ID)
	s.called("plan", p.ID, p.Name)
	for i, z := range life.zones {
		if z.Floor != f {
			continue
		}
		row := store.Zone{Plan: p.ID, Name: z.Name, Polygon: z.corners()}
		if z.Parent != outside {
			row.Parent = s.zones[z.Parent]
		}
		if row, err = of.AddZone(ctx, scope, row, rules{}); err != nil {
			return err
		}
		s.zones[i] = row.ID
		s.called("zone", row.ID, row.Name)
	}
	return nil
}

// walls are the outlines of the rooms and of the floor.
func walls(f *floor) [][]store.Corner {
	out := [][]store.Corner{{{0, 0}, {width, 0}, {width, depth}, {0, depth}, {0, 0}}}
	for i := range f.rooms {
		r := &f.rooms[i]
		inner, door := r.y1, r.door().X
		if r.y0 >= beyond {
			inner = r.y0
		}
		out = append(out,
			[]store.Corner{{r.x1, r.y0}, {r.x1, r.y1}},
			[]store.Corner{{r.x0, inner}, {door - 0.7, inner}}, []store.Corner{{door + 0.7, inner}, {r.x1, inner}})
	}
	return out
}

// rules are those of the drawn site, which keeps to them by construction.
type rules struct{}

// Color implements store.ZoneRules.
func (rules) Color(number int) string {
	palette := [...]string{"#4CAF50", "#2196F3", "#FF9800", "#9C27B0", "#00BCD4", "#F44336", "#8BC34A", "#3F51B5", "#FFC107", "#795548"}
	return palette[(number-1)%len(palette)]
}

// Family implements store.ZoneRules.
func (rules) Family(store.Zone, *store.Zone, []store.Zone) error { return nil }

func (s *site) makeTags(ctx context.Context, of *store.Store, cfg *Config, life *Life, nth int) error {
	for i, t := range life.tags {
		transmitter, err := schema.ParseTransmitter(address(cfg.Seed, nth, i))
		if err != nil {
			return err
		}
		row, _, err := of.CreateTag(ctx, s.result.Organisation, store.Tag{Tag: schema.Tag{Transmitter: transmitter, Name: t.Name, Type: t.Type}})
		if err != nil {
			return err
		}
		s.tags = append(s.tags, row.ID)
		s.called("tag", row.ID, t.Name)
	}
	return nil
}

// address is a locally administered MAC address; two sites of an organisation have none
// in common.
func address(seed uint64, nth, tag int) string {
	h := fnv.New32a()
	fmt.Fprint(h, seed)
	b := h.Sum32()
	return fmt.Sprintf("mac:02:%02x:%02x:%02x:%02x:%02x", byte(b), byte(b>>8), byte(nth), byte(tag>>8), byte(tag))
}
