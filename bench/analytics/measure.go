package analytics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
)

// Config says what is asked about.
type Config struct {
	Warehouse    *clickhouse.DB
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Plan         schema.PlanID
	Bounds       schema.Rect
	Tag          schema.TagID // of the questions about one
	From, To     time.Time
	In           *time.Location
	Runs         int // of each question; the first, which warms up, is not counted
	RollUp       bool
}

// Figure is how long one ready question took.
type Figure struct {
	Query string  `json:"query"`
	Rows  int     `json:"rows"` // of the answer
	P50MS float64 `json:"p50_ms"`
	P95MS float64 `json:"p95_ms"`
}

// Figures is all that was measured.
type Figures struct {
	Fixes       uint64   `json:"fixes"`
	Visits      uint64   `json:"visits"`
	Days        int      `json:"days"`
	RolledUp    int      `json:"rolled_up"`
	RollUpS     float64  `json:"roll_up_s"` // 0: none was made
	RollupBytes uint64   `json:"rollup_bytes"`
	FixesBytes  uint64   `json:"fixes_bytes"`
	Queries     []Figure `json:"queries"`
}

// question is a ready question; ask returns the rows of the answer.
type question struct {
	name string
	ask  func(context.Context, *analytics.Analytics, *analytics.Query) (int, error)
}

func dwell(by analytics.By) question {
	return question{"dwell by " + string(by), func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
		rows, err := a.Dwell(ctx, q, by)
		return len(rows), err
	}}
}

// questions are those that the console asks.
func questions(cfg *Config) []question {
	return []question{
		{"heat map", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			h, err := a.HeatMap(ctx, onPlan(q, cfg), cfg.Bounds, 0.5)
			return len(h.Ms), err
		}},
		{"heat map, one tag", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			h, err := a.HeatMap(ctx, ofTag(onPlan(q, cfg), cfg), cfg.Bounds, 0.5)
			return len(h.Ms), err
		}},
		dwell(analytics.ByZone), dwell(analytics.ByTag), dwell(analytics.ByTagZone), dwell(analytics.ByDay), dwell(analytics.ByHourWeekday),
		{"summary", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			_, err := a.Summary(ctx, q)
			return 1, err
		}},
		{"occupancy, 1 h", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			p, err := a.Occupancy(ctx, q, analytics.Hour)
			return len(p), err
		}},
		{"presence, first page", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			p, err := a.Presences(ctx, q, nil, 200)
			return len(p), err
		}},
		{"visits, first page", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			v, err := a.Visits(ctx, q, analytics.VisitFilter{}, nil, 200)
			return len(v), err
		}},
		{"routes", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			l, err := a.Links(ctx, q, time.Minute)
			return len(l), err
		}},
		{"routes, paths of 3", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			p, err := a.Paths(ctx, q, time.Minute, 3)
			return len(p), err
		}},
		{"tracks, first page of a day", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			f, err := a.Tracks(ctx, lastDay(onPlan(q, cfg)), 0, nil, analytics.MaxTracks)
			return len(f), err
		}},
		{"tracks, first page of 30 days", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			f, err := a.Tracks(ctx, onPlan(q, cfg), 0, nil, analytics.MaxTracks)
			return len(f), err
		}},
		{"tracks of a day, every 30 s", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			f, err := a.Tracks(ctx, lastDay(onPlan(q, cfg)), 30*time.Second, nil, analytics.MaxTracks)
			return len(f), err
		}},
		{"timeline of a day", func(ctx context.Context, a *analytics.Analytics, q *analytics.Query) (int, error) {
			s, err := a.Timeline(ctx, ofTag(lastDay(q), cfg))
			return len(s), err
		}},
	}
}

func onPlan(q *analytics.Query, cfg *Config) *analytics.Query {
	of := *q
	of.Plan = cfg.Plan
	return &of
}

func ofTag(q *analytics.Query, cfg *Config) *analytics.Query {
	of := *q
	of.Chosen, of.Tags = true, []schema.TagID{cfg.Tag}
	return &of
}

func lastDay(q *analytics.Query) *analytics.Query {
	of := *q
	of.From = q.To.In(q.In).AddDate(0, 0, -2) // a day of work: the last of a week may be Sunday
	of.To = of.From.AddDate(0, 0, 1)
	return &of
}

// Measure asks each ready question some times.
func Measure(ctx context.Context, cfg Config) (Figures, error) {
	a := analytics.New(cfg.Warehouse.Conn(), time.Now)
	var out Figures
	if cfg.RollUp {
		began := time.Now()
		if _, err := a.RollUp(ctx, analytics.MaxDays); err != nil {
			return out, err
		}
		out.RollUpS = time.Since(began).Seconds()
	}
	var err error
	if out.Days, out.RolledUp, err = a.RolledUp(ctx); err != nil {
		return out, err
	}
	const sizes = `SELECT (SELECT count() FROM fixes), (SELECT count() FROM zone_visits FINAL),
		(SELECT sum(bytes_on_disk) FROM system.parts WHERE database = currentDatabase() AND active AND table IN ('dwell_cells', 'heard_spans')),
		(SELECT sum(bytes_on_disk) FROM system.parts WHERE database = currentDatabase() AND active AND table = 'fixes')`
	if err := cfg.Warehouse.Conn().QueryRow(ctx, sizes).Scan(&out.Fixes, &out.Visits, &out.RollupBytes, &out.FixesBytes); err != nil {
		return out, fmt.Errorf("count rows: %w", err)
	}
	q := analytics.Query{Organisation: cfg.Organisation, Location: cfg.Location, From: cfg.From, To: cfg.To, In: cfg.In}
	for _, one := range questions(&cfg) {
		f, err := measure(ctx, a, q, one, cfg.Runs)
		if err != nil {
			return out, fmt.Errorf("%s: %w", one.name, err)
		}
		out.Queries = append(out.Queries, f)
	}
	return out, nil
}

func measure(ctx context.Context, a *analytics.Analytics, q analytics.Query, one question, runs int) (Figure, error) {
	f := Figure{Query: one.name}
	var took []float64
	for run := range runs + 1 {
		began := time.Now()
		rows, err := one.ask(ctx, a, &q)
		if err != nil {
			return f, err
		}
		f.Rows = rows
		if run > 0 {
			took = append(took, float64(time.Since(began).Microseconds())/1000)
		}
	}
	slices.Sort(took)
	f.P50MS, f.P95MS = took[(len(took)-1)/2], took[(len(took)*95-1)/100]
	return f, nil
}
