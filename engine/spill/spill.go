package spill

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

// Spill is a spool. Make it with New, end it with Close.
type Spill struct {
	cfg   Config
	index index
	away  atomic.Bool

	wake    chan struct{} // something new for the shipper
	stop    chan struct{} // Close was called: no new attempt
	hard    context.Context
	giveUp  context.CancelFunc
	stopped chan struct{}
	read    chan struct{} // closed when every file found at the start was read once

	writing sync.Mutex // one file at a time; before mu

	mu      sync.Mutex
	listed  bool // the directory was read
	seq     uint64
	files   []file   // in order
	groups  []*group // tried, and not known to be stored
	bytes   int64
	derived int64 // of bytes
	aside   int64 // bytes of damaged files, which are in neither
	changed chan struct{}
	broken  error // what the disk said last; nil when it took what it was given
	counts  counts
	unasked time.Time // since when the warehouse does not say what it has stored

	// What follows is the shipper's own, but for troubles and alone, which mu guards.
	turn      int
	troubles  map[uint64]*trouble // by the number of a parcel's first file
	alone     map[uint64]bool     // files of a group that was taken apart
	leftovers []parcel            // stored, and not removed yet
	tidied    time.Time
	timeout   time.Duration // of the next attempt
}

// counts are of this run.
type counts struct {
	kept, shipped   map[string]uint64 // rows by table
	damaged         uint64
	full, ioErrors  uint64 // calls of Keep that failed
	attempts, fails uint64 // of inserts from the spool
}

// New returns a running spool. What is wrong with the directory is no error: it
// is logged and told by Status, tried again, and until then nothing is kept.
func New(cfg Config) (*Spill, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	hard, giveUp := context.WithCancel(context.Background())
	s := &Spill{
		cfg: cfg, index: newIndex(cfg.MaxRanges),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), hard: hard, giveUp: giveUp,
		stopped: make(chan struct{}), read: make(chan struct{}), changed: make(chan struct{}),
		troubles: map[uint64]*trouble{}, alone: map[uint64]bool{},
		counts: counts{kept: map[string]uint64{}, shipped: map[string]uint64{}},
	}
	if err := s.list(); err != nil {
		cfg.Log.Error("the spool's directory cannot be read, trying again", "error", err)
	}
	s.probe()
	go s.run()
	return s, nil
}

// Away reports that the warehouse did not answer in time when it was last asked:
// a batch is better kept than sent to it.
func (s *Spill) Away() bool { return s.away.Load() }

// Keep makes the record durable; it is shipped later with its token. tried says
// that an insert with that token may have happened. The record is only read. An
// error means that nothing is promised: [schema.Unavailable] when there is no
// room, otherwise what the disk said.
func (s *Spill) Keep(table string, rec arrow.Record, token string, tried bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	f, err := s.place(table)
	if err != nil {
		s.failed(err)
		return err
	}
	f.rows, f.tried = int(rec.NumRows()), tried
	if err := s.write(&f, rec, token); err != nil {
		err = fmt.Errorf("keep %s: %w", table, err)
		s.failed(err)
		return err
	}
	s.add(f, rec)
	return nil
}

// place returns a new file's name so far, if there is room for it.
func (s *Spill) place(table string) (file, error) {
	free, err := s.cfg.Free()
	if err != nil {
		return file{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func(what string, args ...any) error {
		return schema.Errorf(schema.Unavailable, "", "the spool is full: "+what, args...)
	}
	switch {
	case !s.listed:
		return file{}, schema.Errorf(schema.Unavailable, "", "the spool's directory is not read yet")
	case s.bytes+s.aside >= s.cfg.Limit:
		return file{}, full("%d of %d bytes", s.bytes+s.aside, s.cfg.Limit)
	case table != columnar.ObservationsTable && s.derived >= s.cfg.DerivedLimit:
		return file{}, full("%d of %d bytes of derived rows", s.derived, s.cfg.DerivedLimit)
	case len(s.files) >= s.cfg.MaxFiles:
		return file{}, full("%d files", len(s.files))
	case free < s.cfg.MinFree:
		return file{}, full("the disk has %d bytes left, %d are for the stores", free, s.cfg.MinFree)
	}
	s.seq++
	return file{table: table, seq: s.seq, written: time.Now().UnixMilli()}, nil
}

// write makes the file, whole and durable or not at all. What cannot even be
// removed again is harmless: it has the token of the batch that will be sent
// again.
func (s *Spill) write(f *file, rec arrow.Record, token string) error {
	temp := fmt.Sprintf("%020d%s", f.seq, tempEnd)
	err := s.fill(temp, func(w File) (err error) {
		f.size, f.sum, err = encode(w, f.table, token, rec)
		return err
	})
	if err != nil {
		return err
	}
	return s.publish(temp, f.name())
}

// fill makes a temporary file durable in its content.
func (s *Spill) fill(temp string, write func(File) error) error {
	w, err := s.cfg.FS.Create(temp)
	if err != nil {
		return err
	}
	err = write(w)
	if err == nil {
		err = w.Sync()
	}
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = s.cfg.FS.Remove(temp)
	}
	return err
}

// publish gives a filled file its name.
func (s *Spill) publish(temp, name string) error {
	if err := s.cfg.FS.Rename(temp, name); err != nil {
		_ = s.cfg.FS.Remove(temp)
		return err
	}
	if err := s.cfg.FS.SyncDir(); err != nil {
		_ = s.cfg.FS.Remove(name)
		return err
	}
	return nil
}

func (s *Spill) add(f file, rec arrow.Record) {
	if f.table == columnar.ObservationsTable {
		s.index.add(rec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, f)
	s.account(f, 1)
	if f.tried {
		s.away.Store(true)
	}
	s.counts.kept[f.table] += uint64(f.rows)
	s.mend()
	if len(s.files) == 1 {
		s.cfg.Log.Warn("the warehouse is away or slow: batches go to the spool", "table", f.table)
	}
	s.signal()
}

// account follows the bytes of a file that came (+1) or went (-1); the caller
// holds mu.
func (s *Spill) account(f file, sign int64) {
	s.bytes += sign * f.size
	if f.table != columnar.ObservationsTable {
		s.derived += sign * f.size
	}
}

// mend remembers that the directory takes files; the caller holds mu.
func (s *Spill) mend() {
	if s.broken != nil {
		s.cfg.Log.Info("the spool takes batches again")
		s.broken = nil
	}
}

// probe finds out whether the directory takes files, without leaving one.
func (s *Spill) probe() {
	_, err := s.place(columnar.ObservationsTable)
	if err == nil {
		temp := "probe" + tempEnd
		_ = s.cfg.FS.Remove(temp)
		err = s.fill(temp, func(w File) error {
			_, err := w.Write([]byte("can the spool be written?\n"))
			return err
		})
		_ = s.cfg.FS.Remove(temp)
	}
	if err != nil {
		s.failed(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mend()
}

// failed remembers why nothing was kept; it logs the first time.
func (s *Spill) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema.KindOf(err) == schema.Unavailable {
		s.counts.full++
	} else {
		s.counts.ioErrors++
	}
	if s.broken == nil {
		s.cfg.Log.Error("the spool takes nothing: frames are not acknowledged while the warehouse is away", "error", err)
	}
	s.broken = err
}

func (s *Spill) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// forget takes files off the list. When nothing is left, the warehouse has it
// all: it is asked first again, and alone knows what is stored.
func (s *Spill) forget(files ...file) {
	gone := map[identity]bool{}
	for _, f := range files {
		gone[f.identity()] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = slices.DeleteFunc(s.files, func(f file) bool {
		if !gone[f.identity()] {
			return false
		}
		s.account(f, -1)
		delete(s.troubles, f.seq)
		delete(s.alone, f.seq)
		return true
	})
	if len(s.files) == 0 {
		s.away.Store(false)
		s.index.clear()
	}
	s.tell()
}

// tell wakes who waits in Drain; the caller holds mu.
func (s *Spill) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close may be called once. It ends shipping: an insert that is under way may end while the context
// lasts. What is kept is shipped after the next start.
func (s *Spill) Close(ctx context.Context) error {
	close(s.stop)
	select {
	case <-s.stopped:
	case <-ctx.Done():
		s.giveUp()
		<-s.stopped
	}
	s.giveUp()
	return nil
}

// Drain waits until what is kept now is stored. It does not wait for what the
// warehouse refuses while it takes the rest.
func (s *Spill) Drain(ctx context.Context) error {
	s.mu.Lock()
	newest := s.seq
	if !s.listed {
		newest = math.MaxUint64 // all that will be found
	}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		done := s.listed && !slices.ContainsFunc(s.files, func(f file) bool {
			t := s.troubles[f.seq]
			return f.seq <= newest && (t == nil || t.passes == 0)
		})
		changed := s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Each calls visit with the batches that are kept, in the order in which they
// were, until it returns an error. The record is valid during the call. A batch
// that is shipped meanwhile may be left out: call Each before reading the
// warehouse. Damaged files are left out.
func (s *Spill) Each(ctx context.Context, visit func(table string, rec arrow.Record) error) error {
	s.mu.Lock()
	files := slices.Clone(s.files)
	s.mu.Unlock()
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := load(s.cfg.FS, f)
		if errors.Is(err, fs.ErrNotExist) && !f.tried {
			f.tried = true // or shipped
			k, err = load(s.cfg.FS, f)
		}
		if errors.Is(err, errDamaged) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the spool: %w", err)
		}
		err = visit(k.table, k.record)
		k.record.Release()
		if err != nil {
			return err
		}
	}
	return nil
}
