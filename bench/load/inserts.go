package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/uuid"

	"mybeacon/engine/batch"
	"mybeacon/engine/embedded"
	sink "mybeacon/engine/sink/clickhouse"
	store "mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	chschema "mybeacon/schema/clickhouse"
	"mybeacon/schema/columnar"
)

// leastRounds is how many inserts each way has at least, however short the run.
const leastRounds = 5

// inserts measures how fast observations come into a warehouse of their own: the
// engine's way, from admitted frames to stored rows, and the driver alone, which is
// given the same rows as slices of its own types that were made before. They take
// turns, so that both meet the same machine. One connection each.
func inserts(ctx context.Context, cfg Config, f *Figures) (err error) {
	dir, err := os.MkdirTemp("", "mybeacon-bench-")
	if err != nil {
		return fmt.Errorf("make a directory for the warehouse: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	runtime, err := embedded.FindRuntime(cfg.Runtime)
	if err != nil {
		return err
	}
	stores, err := embedded.StartClickHouse(ctx, embedded.Config{DataDir: dir, Runtime: runtime, Executable: cfg.Executable, Log: warnings(cfg.Log)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Stop(context.WithoutCancel(ctx))) }()
	db, err := store.Open(stores.ClickHouseURL(), store.Options{Log: warnings(cfg.Log)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx, chschema.FS); err != nil {
		return err
	}
	return takeTurns(ctx, time.Duration(cfg.Seconds)*time.Second, db, newRows(cfg), f)
}

// takeTurns inserts the rows both ways for about length.
func takeTurns(ctx context.Context, length time.Duration, db *store.DB, r *rows, f *Figures) error {
	var ours, bare time.Duration
	n := 0
	for began := time.Now(); n < leastRounds || time.Since(began) < length; n++ {
		r.renumber(2*n + 1)
		took, err := timed(func() error { return r.insert(ctx, sink.New(db.Conn()), fmt.Sprint("ours-", n)) })
		if err != nil {
			return err
		}
		ours += took
		r.renumber(2*n + 2)
		r.prepare()
		if took, err = timed(func() error { return r.insertBare(ctx, db.Conn(), fmt.Sprint("bare-", n)) }); err != nil {
			return err
		}
		bare += took
	}
	total := float64(n * r.count)
	f.InsertRowsPerS, f.BareInsertRowsPerS = total/ours.Seconds(), total/bare.Seconds()
	return nil
}

func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

// rows are one insert's observations: as many as the engine flushes at once.
type rows struct {
	frames []schema.FrameAdmitted
	count  int
	build  *columnar.Observations

	// the same, column by column
	org, device, tag, receiver, location, plan []uuid.UUID
	at, arrived                                []int64
	boot, transmitter                          []string
	seq                                        []uint64
	idx, keep                                  []uint16
	rssi                                       []int16
	late                                       []bool
}

func newRows(cfg Config) *rows {
	r := &rows{build: columnar.NewObservations(memory.NewGoAllocator())}
	crowd := newCrowd(cfg.Tags, cfg.Receivers, cfg.Seed, "load")
	who := newRegister(crowd)
	for r.count < batch.DefaultConfig().FlushRows {
		frames, _ := crowd.next()
		for i := range frames {
			f := schema.FrameAdmitted{Source: who.devices[who.tokens[fmt.Sprint(i)]].Source, BootID: frames[i].BootID, ArrivedAt: time.Now()}
			for k, o := range frames[i].Observations {
				f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: who.tags[o.Transmitter]})
				f.Indexes = append(f.Indexes, uint16(k))
			}
			r.frames, r.count = append(r.frames, f), r.count+len(f.Observations)
		}
	}
	return r
}

// renumber makes the rows new ones: the warehouse would drop what it has.
func (r *rows) renumber(seq int) {
	for i := range r.frames {
		r.frames[i].Seq = uint64(seq*len(r.frames) + i)
	}
}

// insert is the engine's way.
func (r *rows) insert(ctx context.Context, s *sink.Sink, token string) error {
	for i := range r.frames {
		r.build.Append(r.frames[i])
	}
	rec := r.build.NewRecord()
	defer rec.Release()
	return s.Insert(ctx, columnar.ObservationsTable, rec, token)
}

// prepare makes the columns.
func (r *rows) prepare() {
	r.org, r.device, r.tag, r.receiver, r.location, r.plan = r.org[:0], r.device[:0], r.tag[:0], r.receiver[:0], r.location[:0], r.plan[:0]
	r.at, r.arrived, r.boot, r.transmitter, r.seq = r.at[:0], r.arrived[:0], r.boot[:0], r.transmitter[:0], r.seq[:0]
	r.idx, r.keep, r.rssi, r.late = r.idx[:0], r.keep[:0], r.rssi[:0], r.late[:0]
	for i := range r.frames {
		f := &r.frames[i]
		for k := range f.Observations {
			o := &f.Observations[k]
			r.org, r.device, r.tag = append(r.org, uuid.UUID(f.Organisation)), append(r.device, uuid.UUID(f.Device)), append(r.tag, uuid.UUID(o.Tag))
			r.receiver, r.location, r.plan = append(r.receiver, uuid.UUID(f.Receiver)), append(r.location, uuid.UUID(f.Location)), append(r.plan, uuid.UUID(f.Plan))
			r.at, r.arrived = append(r.at, int64(o.At)), append(r.arrived, f.ArrivedAt.UnixMilli())
			r.boot, r.transmitter = append(r.boot, f.BootID), append(r.transmitter, o.Transmitter.String())
			r.seq, r.idx, r.keep = append(r.seq, f.Seq), append(r.idx, f.Indexes[k]), append(r.keep, f.KeepDays)
			r.rssi, r.late = append(r.rssi, int16(o.RSSI)), append(r.late, o.Late)
		}
	}
}

// insertBare gives the driver the columns, with the settings that the engine uses.
func (r *rows) insertBare(ctx context.Context, conn sink.Conn, token string) error {
	var names []string
	var types []ch.ColumnNameAndType
	for _, field := range columnar.ObservationsSchema().Fields() {
		names = append(names, field.Name)
		types = append(types, ch.ColumnNameAndType{Name: field.Name, Type: columnar.ClickHouseType(field)})
	}
	ctx = ch.Context(ctx, ch.WithColumnNamesAndTypes(types), ch.WithSettings(ch.Settings{"insert_deduplication_token": token}))
	b, err := conn.PrepareBatch(ctx, "INSERT INTO "+columnar.ObservationsTable+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return fmt.Errorf("insert without the engine: %w", err)
	}
	defer func() { _ = b.Close() }() // gives the connection back after an error
	columns := []any{r.org, r.device, r.at, r.boot, r.seq, r.idx, r.tag, r.transmitter, r.rssi, r.receiver, r.location, r.plan, r.late, r.arrived, r.keep}
	for i, c := range columns {
		if err := b.Column(i).Append(c); err != nil {
			return fmt.Errorf("insert %s without the engine: %w", names[i], err)
		}
	}
	if err := b.Send(); err != nil {
		return fmt.Errorf("insert without the engine: %w", err)
	}
	return nil
}
