package seed

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

// The bounds of Config.
const (
	MaxDays = 400
	MaxTags = 5_000
)

// Config says what to fill with what.
type Config struct {
	DB        *postgres.DB
	Warehouse *clickhouse.DB

	Organisation string // name; it is made unless there is one
	Language     string // of names, "ru" or "en"
	TimeZone     string // of the location, IANA
	Days, Tags   int
	Seed         uint64
	Again        bool      // also when the organisation has such a past already
	Now          time.Time // the past ends at the midnight before
	Progress     func(day, days int, fixes int64)
}

// Validate returns an error that names the field that is wrong.
func (c *Config) Validate() error {
	switch {
	case c.Days < 1 || c.Days > MaxDays:
		return schema.Errorf(schema.Invalid, "days", "%d must be 1 to %d", c.Days, MaxDays)
	case c.Tags < 1 || c.Tags > MaxTags:
		return schema.Errorf(schema.Invalid, "tags", "%d must be 1 to %d", c.Tags, MaxTags)
	case c.Organisation == "":
		return schema.Errorf(schema.Invalid, "organisation", "give it a name")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" {
		return schema.Errorf(schema.Invalid, "time-zone", "%q is not a time zone such as Europe/Moscow", c.TimeZone)
	}
	return nil
}

// Result is what was made.
type Result struct {
	Organisation schema.OrganisationID `json:"organisation"`
	Location     schema.LocationID     `json:"location"`
	Name         string                `json:"location_name"`
	Plans        []schema.PlanID       `json:"plans"`
	Zones        int                   `json:"zones"`
	Tags         int                   `json:"tags"`
	From         time.Time             `json:"from"`
	To           time.Time             `json:"to"`
	Fixes        int64                 `json:"fixes"`
	Visits       int64                 `json:"visits"`
	Seconds      float64               `json:"seconds"`
}

// Fill makes the site and its past. Without Again an organisation that has such a past
// already is a Conflict; with it another location comes beside.
func Fill(ctx context.Context, cfg Config) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	in, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	life := NewLife(cfg.Seed, cfg.Tags, in, cfg.Language)
	there, err := settle(ctx, &cfg, life)
	if err != nil {
		return Result{}, err
	}
	w := &writer{cfg: &cfg, life: life, site: there, to: sink.New(cfg.Warehouse.Conn()), long: map[stay]schema.Visit{}}
	if err := w.to.WriteNames(ctx, there.names, uint64(cfg.Now.UnixMilli())); err != nil {
		return Result{}, err
	}
	days := lastDays(cfg.Now.In(in), cfg.Days)
	for i, midnight := range days {
		if err := w.day(ctx, midnight); err != nil {
			return Result{}, fmt.Errorf("fill %s: %w", midnight.Format(time.DateOnly), err)
		}
		if cfg.Progress != nil {
			cfg.Progress(i+1, cfg.Days, w.fixes)
		}
	}
	if err := w.flushLong(ctx); err != nil {
		return Result{}, err
	}
	r := there.result
	r.From, r.To = days[0].UTC(), days[len(days)-1].AddDate(0, 0, 1).UTC()
	r.Zones, r.Tags, r.Fixes, r.Visits, r.Seconds = len(life.zones), len(life.tags), w.fixes, w.visits, time.Since(began).Seconds()
	return r, nil
}

// lastDays returns the beginnings of the last whole local days before now.
func lastDays(now time.Time, n int) []time.Time {
	days := make([]time.Time, n)
	for i := range days {
		days[i] = time.Date(now.Year(), now.Month(), now.Day()-n+i, 0, 0, 0, 0, now.Location())
	}
	return days
}

// writer writes days into the warehouse.
type writer struct {
	cfg           *Config
	life          *Life
	site          *site
	to            *sink.Sink
	fixes, visits int64
	long          map[stay]schema.Visit // those that go on at midnight
}

type stay struct {
	tag  schema.TagID
	zone schema.ZoneID
}

// piece is how many tags are written at once: some hundred thousand rows.
const piece = 100

// Rows have the lowest revisions: whatever the engine derives later wins. A visit is
// written at its entry and at its end, as the engine does.
const (
	entered = 1
	left    = 2
)

func (w *writer) day(ctx context.Context, midnight time.Time) error {
	for first := 0; first < len(w.life.tags); first += piece {
		lived := w.live(midnight, first, min(first+piece, len(w.life.tags)))
		if err := w.write(ctx, midnight, first, lived); err != nil {
			return err
		}
	}
	return nil
}

// lived is one tag's day.
type lived struct {
	fixes  []Fix
	visits []Visit
}

// live lives the day of some tags, on all processors.
func (w *writer) live(midnight time.Time, first, end int) []lived {
	out := make([]lived, end-first)
	var work sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range out {
		places <- struct{}{}
		work.Go(func() {
			out[i].fixes, out[i].visits = w.life.Day(first+i, midnight)
			<-places
		})
	}
	work.Wait()
	return out
}

func (w *writer) write(ctx context.Context, midnight time.Time, first int, days []lived) error {
	fixes, visits := columnar.NewFixes(memory.DefaultAllocator), columnar.NewVisits(memory.DefaultAllocator)
	defer fixes.Release()
	defer visits.Release()
	end := schema.EventTimeOf(midnight.AddDate(0, 0, 1))
	for i, day := range days {
		for _, f := range day.fixes {
			fixes.Append(w.fix(first+i, f))
		}
		for _, v := range day.visits {
			w.visit(visits, w.rowOf(first+i, v), end)
		}
		w.fixes += int64(len(day.fixes))
	}
	token := fmt.Sprintf("seed-%s-%s-%d", w.site.result.Location, midnight.Format(time.DateOnly), first)
	if err := insert(ctx, w.to, columnar.FixesTable, fixes.Len(), fixes.NewRecord, token); err != nil {
		return err
	}
	return insert(ctx, w.to, columnar.VisitsTable, visits.Len(), visits.NewRecord, token)
}

func insert(ctx context.Context, to *sink.Sink, table string, rows int, record func() arrow.Record, token string) error {
	if rows == 0 {
		return nil
	}
	rec := record()
	defer rec.Release()
	return to.Insert(ctx, table, rec, token)
}

func (w *writer) fix(tag int, f Fix) schema.Fix {
	out := schema.Fix{
		Organisation: w.site.result.Organisation, Tag: w.site.tags[tag], Location: w.site.result.Location, Plan: w.site.result.Plans[f.Floor],
		At: f.At, X: f.X, Y: f.Y, AccuracyM: f.Radius, Accuracy95M: 1.63 * f.Radius, ZoneP: 0.9,
		RSSI: -6500, Receivers: 4, ValidFor: time.Duration(f.ValidMs) * time.Millisecond, Rev: left, KeepDays: w.site.keepDays,
	}
	if f.Zone != outside {
		out.Zone = w.site.zones[f.Zone]
	}
	return out
}

func (w *writer) rowOf(tag int, v Visit) schema.Visit {
	out := schema.Visit{
		Organisation: w.site.result.Organisation, Tag: w.site.tags[tag], Location: w.site.result.Location, Plan: w.site.result.Plans[v.Floor],
		Zone: w.site.zones[v.Zone], EnteredAt: v.From, LeftAt: v.To, KeepDays: w.site.keepDays,
	}
	if parent := w.life.zones[v.Zone].Parent; parent != outside {
		out.Parent = w.site.zones[parent]
	}
	return out
}

// visit writes a visit, or keeps it while it goes on: who is there at midnight is so on
// the next day, and has one visit.
func (w *writer) visit(to *columnar.Visits, v schema.Visit, midnight schema.EventTime) {
	key := stay{v.Tag, v.Zone}
	if began, goes := w.long[key]; goes && began.LeftAt == v.EnteredAt {
		v.EnteredAt = began.EnteredAt
		delete(w.long, key)
	}
	if v.LeftAt == midnight {
		w.long[key] = v
		return
	}
	w.put(to, v)
}

func (w *writer) put(to *columnar.Visits, v schema.Visit) {
	v.ID = schema.NewVisitID(v.Organisation, v.Tag, v.Zone, v.EnteredAt)
	w.visits++
	end := v.LeftAt
	v.LeftAt, v.Rev = 0, entered
	to.Append(v)
	v.LeftAt, v.Rev = end, left
	to.Append(v)
}

func (w *writer) flushLong(ctx context.Context) error {
	visits := columnar.NewVisits(memory.DefaultAllocator)
	defer visits.Release()
	for _, v := range w.long {
		w.put(visits, v)
	}
	return insert(ctx, w.to, columnar.VisitsTable, visits.Len(), visits.NewRecord, fmt.Sprintf("seed-%s-long", w.site.result.Location))
}
