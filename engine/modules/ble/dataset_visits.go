package ble

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"mybeacon/engine/export"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// exportPage is how many visits or fixes are read at once. A page is read to its end
// before any of it is written: a slow reader of a stream holds no statement open.
const exportPage = 20_000

func (m *Module) visitDataset() export.Dataset {
	return export.Dataset{
		ID: "ble/visits", Version: 1, Title: export.Words{En: "BLE visits", Ru: "Посещения зон BLE"}, Columns: visitColumns(),
		Filters: append(pastFilters(),
			export.Filter{Name: "min_s", Kind: export.Amount, Title: export.Words{En: "At least, s", Ru: "Не короче, с"}},
			export.Filter{Name: "open", Kind: export.Flag, Title: export.Words{En: "Going on", Ru: "Ещё продолжается"}},
			export.Filter{Name: "order", Kind: export.Choice, Title: export.Words{En: "Order", Ru: "Порядок"}, Choices: []string{"oldest", "newest"}},
		),
		Check: func(ctx context.Context, scope postgres.Scope, f url.Values) error {
			_, _, _, err := m.visitQuery(ctx, scope, f)
			return err
		},
		Count: func(ctx context.Context, scope postgres.Scope, f url.Values) (int64, error) {
			q, _, _, err := m.visitQuery(ctx, scope, f)
			if err != nil {
				return 0, err
			}
			return m.estimate(ctx, "zone_visits", "entered_at < {to:DateTime} AND (left_at IS NULL OR left_at > {from:DateTime})", q)
		},
		Open: m.openVisits,
	}
}

func visitColumns() []export.Column {
	return []export.Column{
		{Name: "visit_id", Kind: export.UUID, Doc: "The visit's id", Title: export.Words{En: "Visit id", Ru: "ID посещения"}},
		tagColumn, tagNameColumn, tagTypeColumn, locationColumn, planColumn, zoneColumn,
		{Name: "zone_number", Kind: export.Integer, Doc: "null: the zone is deleted", Title: export.Words{En: "Zone number", Ru: "Номер зоны"}},
		zoneNameColumn,
		{Name: "parent", Kind: export.UUID, Doc: "The zone that this one is a part of", Title: export.Words{En: "Part of zone", Ru: "Часть зоны"}},
		{Name: "entered_at", Kind: export.Time, Doc: "When the zone was entered", Title: export.Words{En: "Entered (UTC)", Ru: "Вход (UTC)"}},
		{Name: "left_at", Kind: export.Time, Doc: "When it was left; null while the visit goes on", Title: export.Words{En: "Left (UTC)", Ru: "Выход (UTC)"}},
		{Name: "dwell_s", Kind: export.Number, Doc: "Of the whole visit; of one that goes on to the tag's last fix", Title: export.Words{En: "Dwell, s", Ru: "Пребывание, с"}},
		{Name: "within_s", Kind: export.Number, Doc: "Of it within the time asked for: what sums are made of", Title: export.Words{En: "Within the period, s", Ru: "В пределах периода, с"}},
		{Name: "open", Kind: export.Bool, Doc: "The visit goes on", Title: export.Words{En: "Going on", Ru: "Продолжается"}},
	}
}

func (m *Module) visitQuery(ctx context.Context, scope postgres.Scope, f url.Values) (analytics.Query, Scene, analytics.VisitFilter, error) {
	var narrow analytics.VisitFilter
	if text := f.Get("min_s"); text != "" {
		least, err := strconv.ParseFloat(text, 64)
		if err != nil || !(least >= 0 && least <= 1e8) {
			return analytics.Query{}, Scene{}, narrow, schema.Errorf(schema.Invalid, "min_s", "is %.40q: give seconds, such as 60", text)
		}
		narrow.LeastMs = int64(least * 1000)
	}
	switch text := f.Get("open"); text {
	case "":
	case "true", "false":
		open := text == "true"
		narrow.Open = &open
	default:
		return analytics.Query{}, Scene{}, narrow, schema.Errorf(schema.Invalid, "open", "is %.40q: choose true or false", text)
	}
	switch text := f.Get("order"); text {
	case "", "oldest":
	case "newest":
		narrow.Newest = true
	default:
		return analytics.Query{}, Scene{}, narrow, schema.Errorf(schema.Invalid, "order", "is %.40q: choose oldest or newest", text)
	}
	q, scene, err := m.past(ctx, scope, f)
	return q, scene, narrow, err
}

func (m *Module) openVisits(ctx context.Context, scope postgres.Scope, f url.Values) (export.Rows, error) {
	q, scene, narrow, err := m.visitQuery(ctx, scope, f)
	if err != nil {
		return nil, err
	}
	return export.Pushed(ctx, func(ctx context.Context, row func([]any) error) error {
		var after *analytics.VisitMark
		for {
			page, err := m.Analytics().Visits(ctx, &q, narrow, after, exportPage)
			if err != nil || len(page) == 0 {
				return err
			}
			if err := m.pushVisits(ctx, scene, page, row); err != nil {
				return err
			}
			mark := page[len(page)-1].Mark()
			after = &mark
		}
	}), nil
}

func (m *Module) pushVisits(ctx context.Context, scene Scene, page []analytics.Visit, row func([]any) error) error {
	zones, tags := make([]schema.ZoneID, len(page)), make([]schema.TagID, len(page))
	for i := range page {
		zones[i], tags[i] = page[i].Zone, page[i].Tag
	}
	labels, err := m.Label(ctx, scene, zones, tags)
	if err != nil {
		return err
	}
	for i := range page {
		if err := row(visitRow(&page[i], scene.Location.ID, labels)); err != nil {
			return err
		}
	}
	return nil
}

func visitRow(v *analytics.Visit, location schema.LocationID, l Labels) []any {
	zone, tag := l.Zones[v.Zone], l.Tags[v.Tag]
	var left, number any
	if !v.Open {
		left = timeOf(v.Until)
	}
	if zone.Number != 0 {
		number = zone.Number
	}
	return []any{
		[16]byte(v.ID), [16]byte(v.Tag), tag.Name, filled(tag.Type), [16]byte(location), orNil(v.Plan), orNil(v.Zone), number, zone.Name, orNil(v.Parent),
		timeOf(v.Entered), left, float64(v.Until-v.Entered) / 1000, float64(v.Within) / 1000, v.Open,
	}
}

func timeOf(t schema.EventTime) time.Time { return time.UnixMilli(int64(t)) }
