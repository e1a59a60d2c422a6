package rederive_test

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/actors"
	"mybeacon/actors/actortest"
	"mybeacon/engine/batch"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/rederive"
	sink "mybeacon/engine/sink/clickhouse"
	store "mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

var (
	org      = schema.OrganisationID{1}
	silently = slog.New(slog.DiscardHandler)
)

func tagID(n int) schema.TagID { return schema.TagID{5, 15: byte(n)} }

// prelude is for how many seconds the receivers hear nothing at first: a plan waits
// for those that have spoken.
const prelude = 2

// life is what the receivers of a plan send, second by second.
type life struct {
	layout schema.Layout
	begin  schema.EventTime
	frames [][]schema.FrameAdmitted
}

// walker is one tag on its way from place to place.
type walker struct {
	at, goal schema.Point
	silent   int
	rests    bool
}

func (w *walker) step(rng *rand.Rand, silence int) (there bool) {
	if w.rests {
		return true
	}
	dx, dy := w.goal.X-w.at.X, w.goal.Y-w.at.Y
	if far := math.Hypot(dx, dy); far > 1 {
		w.at.X, w.at.Y = w.at.X+1.2*dx/far, w.at.Y+1.2*dy/far
	} else if rng.IntN(15) == 0 {
		w.goal = schema.Point{X: 1 + 18*rng.Float64(), Y: 1 + 8*rng.Float64()}
	}
	if w.silent--; w.silent < 0 && rng.IntN(150) == 0 {
		w.silent = []int{20, silence}[rng.IntN(2)]
	}
	return w.silent <= 0
}

// newLife lets tags walk about. Now and then one is not heard for up to silence
// seconds.
func newLife(seed uint64, begin time.Time, tags, seconds, silence int) *life {
	walkers := make([]walker, tags)
	for i := range walkers {
		walkers[i] = walker{at: schema.Point{X: 3, Y: 5}, goal: schema.Point{X: 17, Y: 5}}
	}
	return newLifeOf(walkers, seed, begin, seconds, silence)
}

func newLifeOf(walkers []walker, seed uint64, begin time.Time, seconds, silence int) *life {
	rng := rand.New(rand.NewPCG(seed, 7))
	l := &life{layout: actortest.Flat(org), begin: schema.EventTimeOf(begin)}
	for s := range seconds {
		at := l.second(s)
		frames := make([]schema.FrameAdmitted, len(l.layout.Receivers))
		for i := range frames {
			frames[i] = schema.FrameAdmitted{
				Source: l.source(i), BootID: "boot", Seq: uint64(s + 1), SentAt: at.Add(time.Second), ArrivedAt: at.Add(time.Second).Time(),
			}
		}
		for n := range walkers {
			if walkers[n].step(rng, silence) && s >= prelude {
				l.hear(rng, frames, tagID(n), walkers[n].at, at)
			}
		}
		l.frames = append(l.frames, frames)
	}
	return l
}

// only lets a tag be heard by some receivers only, for some seconds.
func (l *life) only(tag schema.TagID, from, to int, receivers ...int) {
	for s := from; s < to; s++ {
		for r := range l.frames[s] {
			if f := &l.frames[s][r]; !slices.Contains(receivers, r) {
				f.Observations = slices.DeleteFunc(f.Observations, func(o schema.Heard) bool { return o.Tag == tag })
				f.Indexes = f.Indexes[:len(f.Observations)]
				for i := range f.Indexes {
					f.Indexes[i] = uint16(i)
				}
			}
		}
	}
}

func (l *life) second(s int) schema.EventTime { return l.begin.Add(time.Duration(s) * time.Second) }

func (l *life) source(receiver int) schema.Source {
	r := &l.layout.Receivers[receiver]
	return schema.Source{
		Organisation: org, Device: r.Device, Location: l.layout.Location, Plan: l.layout.Plan, Receiver: r.Receiver, KeepDays: schema.KeepForever,
	}
}

// hear puts what the receivers hear of a tag in a second into their frames.
func (l *life) hear(rng *rand.Rand, frames []schema.FrameAdmitted, tag schema.TagID, at schema.Point, second schema.EventTime) {
	for i, r := range l.layout.Receivers {
		d := math.Hypot(at.X-r.X, at.Y-r.Y)
		dbm := -55 - 22*math.Log10(max(d, 0.5)) + 3*rng.NormFloat64()
		if dbm < -85+5*rng.NormFloat64() {
			continue
		}
		f := &frames[i]
		o := schema.Observation{At: second.Add(time.Duration(rng.IntN(1000)) * time.Millisecond), RSSI: schema.CentiDBmOf(dbm), Transmitter: schema.IBeacon([16]byte{1}, 1, uint16(tag[15]))}
		f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: tag})
		f.Indexes = append(f.Indexes, uint16(len(f.Indexes)))
	}
}

// hearing is when a tag was heard last, and by whom.
type hearing struct {
	at schema.EventTime
	by schema.DeviceID
}

// server is the way of an observation from admission to storage, with the job.
type server struct {
	t            testing.TB
	conn         driver.Conn
	sink         *sink.Sink
	sys          *actors.System
	layouts      *actortest.Layouts
	observations *batch.Batch[schema.FrameAdmitted]
	fixes        *batch.Batch[schema.Fix]
	visits       *batch.Batch[schema.Visit]
	newest       map[schema.TagID]hearing
	told         map[schema.DeviceID]schema.EventTime
	now          time.Time
	starts       int
	resume       func(rederive.Config) error
	away         bool                   // the warehouse: frames are kept
	kept         []schema.FrameAdmitted // until somebody waits for them
}

func newServer(t testing.TB) *server {
	t.Helper()
	db, err := store.Open(embeddedtest.NewClickHouseDatabase(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, conn: db.Conn(), sink: sink.New(db.Conn()), layouts: &actortest.Layouts{}, newest: map[schema.TagID]hearing{}, told: map[schema.DeviceID]schema.EventTime{}}
	s.layouts.Put(actortest.Flat(org))
	s.resume = func(cfg rederive.Config) error {
		return rederive.Resume(context.Background(), cfg, s.sink, time.Minute)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) start() {
	s.t.Helper()
	var err error
	cfg := batch.DefaultConfig()
	s.observations, err = batch.NewObservations(cfg, s.sink)
	s.check(err)
	s.fixes, err = batch.NewFixes(cfg, s.sink)
	s.check(err)
	s.visits, err = batch.NewVisits(cfg, s.sink)
	s.check(err)
	system := actors.DefaultConfig()
	system.Log, system.Output, system.Health, system.Layouts = silently, s, &actortest.Recorder{}, s.layouts
	system.Plan.Learn = false          // what late data would have taught is not learned any more
	system.SweepEvery = 24 * time.Hour // its clock is not that of the lives
	system.Start = time.Unix(int64(1_700_000_000+s.starts), 0)
	s.starts++
	s.sys, err = actors.New(system)
	s.check(err)
}

func (s *server) stop() {
	ctx := context.Background()
	s.check(s.sys.Stop(ctx))
	s.check(s.observations.Stop(ctx))
	s.check(s.fixes.Stop(ctx))
	s.check(s.visits.Stop(ctx))
}

// The server is the actors' output.
func (s *server) TagMoved(schema.TagMoved)   {}
func (s *server) Occupancy(schema.Occupancy) {}
func (s *server) Fix(f schema.Fix)           { s.check(s.fixes.Add(f, nil)) }
func (s *server) Visit(v schema.Visit)       { s.check(s.visits.Add(v, nil)) }

// admit takes a frame at its time of arrival, as package ingest does.
func (s *server) admit(f schema.FrameAdmitted, arrived time.Time) {
	f.ArrivedAt = arrived
	s.now = arrived
	f.Observations = append([]schema.Heard(nil), f.Observations...)
	for i := range f.Observations {
		o := &f.Observations[i]
		o.Late = s.late(o, f.Device)
	}
	s.told[f.Device] = max(s.told[f.Device], f.SentAt)
	switch {
	case len(f.Observations) == 0:
	case s.away:
		s.kept = append(s.kept, f)
	default:
		s.check(s.observations.Add(f, nil))
	}
	s.sys.Frame(f)
}

// late is the rule of package ingest.
func (s *server) late(o *schema.Heard, by schema.DeviceID) bool {
	h, known := s.newest[o.Tag]
	if second := o.At.Second(); !known || second > h.at {
		s.newest[o.Tag] = hearing{second, by}
	}
	told := s.told[h.by]
	gone := told >= h.at.Add(time.Minute) && o.At < h.at.Add(61*time.Second) && o.At < told.Add(-6*time.Second)
	return known && (o.At < h.at.Add(-6*time.Second) || gone)
}

// settle waits until all effects of what was admitted are stored.
func (s *server) settle() {
	s.t.Helper()
	s.check(s.sys.Settle(context.Background()))
	s.check(s.flush(context.Background()))
}

// ship stores what was kept.
func (s *server) ship() {
	for _, f := range s.kept {
		s.check(s.observations.Add(f, nil))
	}
	s.kept = nil
}

func (s *server) flush(ctx context.Context) error {
	s.ship()
	for _, b := range []interface{ Flush(context.Context) error }{s.observations, s.fixes, s.visits} {
		if err := b.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) config() rederive.Config {
	cfg := rederive.DefaultConfig()
	cfg.Store, cfg.Actors, cfg.Flush = s.sink, s.sys, s.flush
	cfg.Share = 1
	cfg.Now = func() time.Time { return s.now }
	return cfg
}

// work runs a job until it has worked in all there is.
func (s *server) work() {
	s.t.Helper()
	s.settle()
	job, err := rederive.New(s.config())
	s.check(err)
	arrived := s.now
	s.now = s.now.Add(time.Minute) // after the last frame: nothing is on its way
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- job.Run(ctx) }()
	s.check(job.Await(ctx, arrived))
	cancel()
	s.check(<-ended)
}

// stored is all that analysts see of the tags.
func (s *server) stored(tags int, from, to schema.EventTime) rederive.Derived {
	s.t.Helper()
	span := rederive.Span{Organisation: org, From: from.Add(-time.Hour), To: to.Add(time.Hour), Arrived: s.now}
	for n := range tags {
		span.Tags = append(span.Tags, tagID(n))
	}
	d, err := s.sink.Derived(context.Background(), span)
	s.check(err)
	d.Shown = nil
	for i := range d.Fixes {
		d.Fixes[i].Rev = 0
	}
	for i := range d.Visits {
		d.Visits[i].Rev = 0
	}
	return d
}

// one returns the single value of a query.
func one[T any](s *server, query string) (v T) {
	s.t.Helper()
	s.check(s.conn.QueryRow(context.Background(), query).Scan(&v))
	return v
}
