package ingest_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// base is the moment at which the tests' clock stands.
var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(offset time.Duration) schema.EventTime { return schema.EventTimeOf(base.Add(offset)) }

// world is a directory, a warehouse, a journal in front of it and actors, in
// memory. The journal stores when it is told to.
type world struct {
	mu      sync.Mutex
	devices map[string]ingest.Device // by token
	tags    map[schema.Transmitter]schema.TagID

	queued   []queued
	rows     map[row]schema.Heard // the warehouse
	full     bool                 // the journal takes nothing
	down     bool                 // the warehouse does not answer
	stalled  error                // nothing is stored
	loads    int
	lookups  int // of tokens
	aside    []schema.Quarantined
	live     []schema.FrameAdmitted
	journal  []schema.FrameAdmitted
	presence []string
}

type queued struct {
	frame schema.FrameAdmitted
	done  func(error)
}

type row struct {
	device schema.DeviceID
	boot   string
	seq    uint64
	idx    uint16
}

func newWorld() *world {
	w := &world{devices: map[string]ingest.Device{}, tags: map[schema.Transmitter]schema.TagID{}, rows: map[row]schema.Heard{}}
	w.devices["token-1"] = device(1)
	w.devices["token-2"] = device(2)
	return w
}

func device(n byte) ingest.Device {
	return ingest.Device{Number: int64(n), Clock: "device", Source: schema.Source{
		Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{n}, Location: schema.LocationID{2}, KeepDays: 30,
	}, TokenHash: sha256.Sum256([]byte(fmt.Sprint("token-", n)))}
}

func (w *world) DeviceByToken(_ context.Context, token string) (ingest.Device, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lookups++
	d, known := w.devices[token]
	if !known {
		return ingest.Device{}, schema.Errorf(schema.Unauthorized, "token", "unknown")
	}
	return d, nil
}

func (w *world) Device(id schema.DeviceID) (ingest.Device, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.devices {
		if d.Device == id {
			return d, true
		}
	}
	return ingest.Device{}, false
}

func (w *world) Tag(_ schema.OrganisationID, tr schema.Transmitter) (schema.TagID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, known := w.tags[tr]
	return id, known
}

func (w *world) StoredSeqs(_ context.Context, src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loads++
	if w.down {
		return nil, errors.New("the warehouse is away")
	}
	var set wire.SeqSet
	for r, h := range w.rows {
		if r.device == src.Device && r.boot == bootID && h.At >= since {
			set.Add(wire.SeqRange{From: r.seq, To: r.seq})
		}
	}
	return set.Ranges(), nil
}

func (w *world) Frame(f schema.FrameAdmitted) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = append(w.live, f)
}

func (w *world) DeviceConnected(src schema.Source, _ time.Time) { w.say("up", src.Device) }

func (w *world) DeviceDisconnected(id schema.DeviceID, _ time.Time) { w.say("down", id) }

func (w *world) Put(q schema.Quarantined) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aside = append(w.aside, q)
}

func (w *world) say(what string, id schema.DeviceID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.presence = append(w.presence, what+string('0'+rune(id[0])))
}

func (w *world) Add(f schema.FrameAdmitted, done func(error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		return errors.New("full")
	}
	if len(f.Observations) == 0 || len(f.Observations) != len(f.Indexes) {
		panic("BUG: a frame without rows in the journal")
	}
	w.journal = append(w.journal, f)
	w.queued = append(w.queued, queued{f, done})
	return nil
}

func (w *world) Stalled() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stalled
}

// store stores what is queued, or fails it, and returns how many frames it were.
func (w *world) store(err error) int {
	w.mu.Lock()
	list := w.queued
	w.queued = nil
	if err == nil {
		for _, q := range list {
			for i, h := range q.frame.Observations {
				w.rows[row{q.frame.Device, q.frame.BootID, q.frame.Seq, q.frame.Indexes[i]}] = h
			}
		}
	}
	w.mu.Unlock()
	for _, q := range list {
		q.done(err)
	}
	return len(list)
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) counts() (live, journal, loads int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.live), len(w.journal), w.loads
}

// start returns an ingest on the world, and its metrics.
func start(t testing.TB, w *world, change func(*ingest.Config)) (*ingest.Ingest, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	cfg := ingest.DefaultConfig()
	cfg.Directory, cfg.Stored, cfg.Actors, cfg.Journal, cfg.Quarantine = w, w, w, w, w
	cfg.Now = func() time.Time { return base }
	cfg.Metrics = ingest.NewMetrics(reg)
	if change != nil {
		change(&cfg)
	}
	in, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return in, reg
}

// stream opens and attaches a stream of device 1.
func stream(t testing.TB, in *ingest.Ingest) *ingest.Session {
	t.Helper()
	s, err := in.Open(t.Context(), "token-1")
	if err != nil {
		t.Fatal(err)
	}
	s.Attach()
	t.Cleanup(s.Close)
	return s
}

var mac = schema.MACTransmitter([6]byte{1, 2, 3})

// frame is a good frame of n observations, sent at its seq's second.
func frame(boot string, seq uint64, n int) schema.Frame {
	f := schema.Frame{BootID: boot, Seq: seq, SentAt: at(-time.Hour + time.Duration(seq)*time.Second)}
	for i := range n {
		f.Observations = append(f.Observations, schema.Observation{At: f.SentAt - schema.EventTime(i), Transmitter: mac, RSSI: -6000})
	}
	return f
}

func message(frames ...schema.Frame) wire.Message { return wire.Message{Frames: frames} }

// value returns the sum of a metric's series whose labels contain the words.
func value(t testing.TB, reg *prometheus.Registry, name string, words ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			match := 0
			for _, l := range m.GetLabel() {
				for _, word := range words {
					if l.GetValue() == word {
						match++
					}
				}
			}
			if match == len(words) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
