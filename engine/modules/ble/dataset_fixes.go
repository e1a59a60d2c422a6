package ble

import (
	"context"
	"net/url"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"mybeacon/engine/export"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

func (m *Module) fixDataset() export.Dataset {
	return export.Dataset{
		ID: "ble/fixes", Version: 1, Title: export.Words{En: "BLE positions", Ru: "Положения меток BLE"}, Columns: fixColumns(), Filters: pastFilters(),
		Check: func(ctx context.Context, scope postgres.Scope, f url.Values) error {
			_, _, err := m.past(ctx, scope, f)
			return err
		},
		Count: func(ctx context.Context, scope postgres.Scope, f url.Values) (int64, error) {
			q, _, err := m.past(ctx, scope, f)
			if err != nil {
				return 0, err
			}
			return m.estimate(ctx, "fixes", "at >= {from:DateTime} AND at < {to:DateTime}", q)
		},
		Open: m.openFixes,
	}
}

func fixColumns() []export.Column {
	return []export.Column{
		{Name: "at", Kind: export.Time, Doc: "From when on the tag was there", Title: export.Words{En: "Time (UTC)", Ru: "Время (UTC)"}},
		tagColumn, tagNameColumn, tagTypeColumn, locationColumn, planColumn,
		{Name: "x_m", Kind: export.Number, Doc: "In the plan's frame", Title: export.Words{En: "X, m", Ru: "X, м"}},
		{Name: "y_m", Kind: export.Number, Doc: "In the plan's frame, upwards", Title: export.Words{En: "Y, m", Ru: "Y, м"}},
		{Name: "accuracy_m", Kind: export.Number, Doc: "Radius that holds the tag with 68 %", Title: export.Words{En: "Accuracy, m", Ru: "Точность, м"}},
		zoneColumn, zoneNameColumn,
		{Name: "valid_for_s", Kind: export.Number, Doc: "For how long it was there: weigh by this, never count rows", Title: export.Words{En: "Held for, s", Ru: "Действует, с"}},
	}
}

// fix is one row of fixes.
type fix struct {
	tag, plan, zone uuid.UUID
	at              int64
	x, y, accuracy  float32
	validMs         uint32
}

func (m *Module) openFixes(ctx context.Context, scope postgres.Scope, f url.Values) (export.Rows, error) {
	q, scene, err := m.past(ctx, scope, f)
	if err != nil {
		return nil, err
	}
	return export.Pushed(ctx, func(ctx context.Context, row func([]any) error) error {
		// An hour at a time: what is sorted is bounded, and each statement reads the
		// parts of its day only.
		for from := q.From; from.Before(q.To); from = from.Add(time.Hour) {
			to := from.Add(time.Hour)
			if to.After(q.To) {
				to = q.To
			}
			if err := m.pushHour(ctx, q, scene, [2]time.Time{from, to}, row); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

// pushHour pushes the fixes of a stretch in their order, page by page.
func (m *Module) pushHour(ctx context.Context, q analytics.Query, scene Scene, stretch [2]time.Time, row func([]any) error) error {
	after := fix{at: stretch[0].UnixMilli() - 1}
	for {
		page, err := m.readFixes(ctx, q, stretch, after)
		if err != nil || len(page) == 0 {
			return err
		}
		zones, tags := make([]schema.ZoneID, len(page)), make([]schema.TagID, len(page))
		for i, f := range page {
			zones[i], tags[i] = schema.ZoneID(f.zone), schema.TagID(f.tag)
		}
		labels, err := m.Label(ctx, scene, zones, tags)
		if err != nil {
			return err
		}
		for _, f := range page {
			if err := row(fixRow(f, scene.Location.ID, labels)); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

func (m *Module) readFixes(ctx context.Context, q analytics.Query, stretch [2]time.Time, after fix) ([]fix, error) {
	where := []string{"org = {org:UUID}", "location = {location:UUID}", "at >= {from:DateTime64(3)}", "at < {to:DateTime64(3)}", "(at, tag) > ({after:DateTime64(3)}, {last:UUID})"}
	moment := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
	args := []any{
		ch.Named("org", q.Organisation.String()), ch.Named("location", q.Location.String()), ch.Named("from", moment(stretch[0])), ch.Named("to", moment(stretch[1])),
		ch.Named("after", moment(time.UnixMilli(after.at))), ch.Named("last", after.tag.String()), ch.Named("most", exportPage),
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
	sql := `SELECT tag, plan, zone, toUnixTimestamp64Milli(at), x_m, y_m, accuracy_m, valid_for_ms FROM fixes FINAL
		WHERE ` + strings.Join(where, " AND ") + ` ORDER BY at, tag LIMIT {most:UInt32}
		SETTINGS max_execution_time = 60, max_memory_usage = 1000000000, session_timezone = 'UTC'`
	rows, err := m.host.Warehouse.Conn().Query(ctx, sql, args...)
	if err != nil {
		return nil, away(err)
	}
	defer rows.Close() //nolint:errcheck // its error is Err's
	var page []fix
	for rows.Next() {
		var f fix
		if err := rows.Scan(&f.tag, &f.plan, &f.zone, &f.at, &f.x, &f.y, &f.accuracy, &f.validMs); err != nil {
			return nil, err
		}
		page = append(page, f)
	}
	return page, away(rows.Err())
}

func away(err error) error {
	if err == nil {
		return nil
	}
	return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not answer, or needs too long", Err: err}
}

func fixRow(f fix, location schema.LocationID, l Labels) []any {
	zone, tag := l.Zones[schema.ZoneID(f.zone)], l.Tags[schema.TagID(f.tag)]
	return []any{
		time.UnixMilli(f.at), [16]byte(f.tag), tag.Name, filled(tag.Type), [16]byte(location), orNil(schema.PlanID(f.plan)),
		f.x, f.y, f.accuracy, orNil(schema.ZoneID(f.zone)), filled(zone.Name), float64(f.validMs) / 1000,
	}
}
