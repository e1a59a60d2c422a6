package ble

import (
	"context"
	"net/url"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"mybeacon/engine/export"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Datasets implements export.Source. They may be opened once the module has started.
func (m *Module) Datasets() []export.Dataset {
	return []export.Dataset{m.visitDataset(), m.fixDataset()}
}

// The columns that several datasets have.
var (
	tagColumn      = export.Column{Name: "tag", Kind: export.UUID, Doc: "The tag's id", Title: export.Words{En: "Tag id", Ru: "ID метки"}}
	tagNameColumn  = export.Column{Name: "tag_name", Kind: export.Text, Doc: "The tag's name now, or its last one", Title: export.Words{En: "Tag", Ru: "Метка"}}
	tagTypeColumn  = export.Column{Name: "type", Kind: export.Text, Doc: "person, asset or vehicle; null when the tag is deleted", Title: export.Words{En: "Type", Ru: "Тип"}}
	locationColumn = export.Column{Name: "location", Kind: export.UUID, Doc: "The location's id", Title: export.Words{En: "Location id", Ru: "ID локации"}}
	planColumn     = export.Column{Name: "plan", Kind: export.UUID, Doc: "The plan's id", Title: export.Words{En: "Plan id", Ru: "ID плана"}}
	zoneColumn     = export.Column{Name: "zone", Kind: export.UUID, Doc: "The zone's id; null outside zones", Title: export.Words{En: "Zone id", Ru: "ID зоны"}}
	zoneNameColumn = export.Column{Name: "zone_name", Kind: export.Text, Doc: "The zone's name now, or its last one", Title: export.Words{En: "Zone", Ru: "Зона"}}
)

// pastFilters are the filters of everything about the past.
func pastFilters() []export.Filter {
	return []export.Filter{
		{Name: "location", Kind: export.Location, Title: export.Words{En: "Location", Ru: "Локация"}},
		{Name: "plan", Kind: export.Plan, Title: export.Words{En: "Plan", Ru: "План"}},
		{Name: "zone", Kind: export.Zone, Title: export.Words{En: "Zones", Ru: "Зоны"}, Repeats: true},
		{Name: "tag", Kind: export.Tag, Title: export.Words{En: "Tags", Ru: "Метки"}, Repeats: true},
		{Name: "type", Kind: export.Choice, Title: export.Words{En: "Type of tag", Ru: "Тип метки"}, Choices: []string{"person", "asset", "vehicle"}},
		{Name: "from", Kind: export.Moment, Title: export.Words{En: "From", Ru: "С"}},
		{Name: "to", Kind: export.Moment, Title: export.Words{En: "To", Ru: "По"}},
		{Name: "tz", Kind: export.TimeZone, Title: export.Words{En: "Time zone of dates", Ru: "Часовой пояс дат"}},
	}
}

// past reads the filters of everything about the past, as the routes do.
func (m *Module) past(ctx context.Context, scope postgres.Scope, f url.Values) (analytics.Query, Scene, error) {
	subject, err := subjectOf(f)
	if err != nil {
		return analytics.Query{}, Scene{}, err
	}
	q, scene, err := m.About(ctx, scope, subject)
	if err != nil {
		return q, scene, err
	}
	if q.In, err = zoneOf(f.Get("tz"), scene.Location.TimeZone); err != nil {
		return q, scene, err
	}
	if q.From, q.To, err = period(f.Get("from"), f.Get("to"), m.host.Clock().In(q.In)); err != nil {
		return q, scene, err
	}
	return q, scene, q.Check()
}

func subjectOf(f url.Values) (s Subject, err error) {
	s.Type = f.Get("type")
	if s.Type != "" && s.Type != "person" && s.Type != "asset" && s.Type != "vehicle" {
		return s, schema.Errorf(schema.Invalid, "type", "is %.40q: choose person, asset or vehicle", s.Type)
	}
	if s.Location, err = filterID[schema.LocationID]("location", f.Get("location")); err != nil {
		return s, err
	}
	if s.Plan, err = filterID[schema.PlanID]("plan", f.Get("plan")); err != nil {
		return s, err
	}
	for _, text := range f["zone"] {
		id, err := filterID[schema.ZoneID]("zone", text)
		if err != nil {
			return s, err
		}
		s.Zones = append(s.Zones, id)
	}
	for _, text := range f["tag"] {
		id, err := filterID[schema.TagID]("tag", text)
		if err != nil {
			return s, err
		}
		s.Tags = append(s.Tags, id)
	}
	return s, nil
}

// filterID reads an id; one that cannot be read names nothing.
func filterID[I ~[16]byte](name, text string) (id I, err error) {
	if text == "" {
		return id, nil
	}
	if id, err = schema.ParseID[I](text); err != nil {
		return id, schema.Errorf(schema.NotFound, name, "there is no such %s", name)
	}
	return id, nil
}

func zoneOf(name, otherwise string) (*time.Location, error) {
	if name == "" {
		name = otherwise
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, schema.Errorf(schema.Invalid, "tz", "%.60q is not a time zone such as Europe/Moscow", name)
	}
	return zone, nil
}

// period reads two times; a date is that day, from its beginning to its end. Without
// them it is today.
func period(from, to string, now time.Time) (a, b time.Time, err error) {
	a, b = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()), now
	if from != "" {
		if _, a, err = moment("from", from, now.Location()); err != nil {
			return a, b, err
		}
	}
	if to == "" {
		return a, b, nil
	}
	day, b, err := moment("to", to, now.Location())
	if day {
		b = b.AddDate(0, 0, 1)
	}
	return a, b, err
}

func moment(name, text string, in *time.Location) (day bool, at time.Time, err error) {
	if at, err = time.ParseInLocation(time.DateOnly, text, in); err == nil {
		return true, at, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil || at.Year() < 1971 || at.Year() > 2200 {
		return false, at, schema.Errorf(schema.Invalid, name, "%.40q is neither a time such as 2026-01-31T12:00:00Z nor a date such as 2026-01-31", text)
	}
	return false, at, nil
}

// estimate counts the rows that a dataset will have at most, for a progress bar:
// without what was written twice, and types of tags, it is answered from the index.
func (m *Module) estimate(ctx context.Context, table, during string, q analytics.Query) (int64, error) {
	where := []string{"org = {org:UUID}", "location = {location:UUID}", during}
	args := []any{
		ch.Named("org", q.Organisation.String()), ch.Named("location", q.Location.String()),
		ch.Named("from", q.From.UTC().Format(time.DateTime)), ch.Named("to", q.To.UTC().Format(time.DateTime)),
	}
	if !q.Plan.IsZero() {
		where, args = append(where, "plan = {plan:UUID}"), append(args, ch.Named("plan", q.Plan.String()))
	}
	if len(q.Zones) > 0 {
		where, args = append(where, "zone IN ({zones:Array(UUID)})"), append(args, ch.Named("zones", texts(q.Zones)))
	}
	if q.Chosen {
		where, args = append(where, "tag IN ({tags:Array(UUID)})"), append(args, ch.Named("tags", texts(q.Tags)))
	}
	var n uint64
	sql := "SELECT count() FROM " + table + " WHERE " + strings.Join(where, " AND ")
	if err := m.host.Warehouse.Conn().QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not answer", Err: err}
	}
	return int64(n), nil //nolint:gosec // rows of a table
}

// texts writes ids as a parameter of the type Array(UUID).
func texts[I interface{ String() string }](ids []I) string {
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = "'" + id.String() + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// orNil is nil for the zero id.
func orNil[I interface {
	~[16]byte
	IsZero() bool
}](id I) any {
	if id.IsZero() {
		return nil
	}
	return [16]byte(id)
}

// filled is nil for an empty text.
func filled(text string) any {
	if text == "" {
		return nil
	}
	return text
}
