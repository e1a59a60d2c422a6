package batch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/schema"
)

// Builder collects items into the rows of a record.
type Builder[T any] interface {
	Append(T)
	Len() int
	NewRecord() arrow.Record
	Release()
}

// Sink stores a record. Inserting the same record twice with one token must
// store it once. It neither keeps nor releases the record.
type Sink interface {
	Insert(ctx context.Context, table string, rec arrow.Record, token string) error
}

// Table is where the items of a batch go.
type Table[T any] struct {
	Name    string
	Builder Builder[T] // the batch's own from now on
	// Span returns the event times of an item's first and last row.
	Span func(T) (first, last schema.EventTime)
}

// Batch collects items of one table. Make it with New, end it with Stop.
type Batch[T any] struct {
	cfg   Config
	table Table[T]
	sink  Sink

	wake    chan struct{}      // something to do for the shipper
	hard    context.Context    // ends when Stop's patience does
	giveUp  context.CancelFunc // ends hard
	stopped chan struct{}      // the shipper has returned
	inserts sync.WaitGroup     // under way, also those that were left behind

	mu       sync.Mutex
	open     open
	sealed   []*sealed // oldest first
	current  *sealed   // being shipped
	stalled  error     // why it is not stored; nil when that is not known to fail
	rows     int       // open, sealed and on their way
	added    uint64    // items so far
	settled  uint64    // of these, whose done was called
	progress chan struct{}
	flushes  int // Flush and Stop do not wait for size or age
	stopping bool
	lost     int // rows given up
}

// open is what the builder's rows belong to.
type open struct {
	since time.Time
	items uint64
	done  []func(error)
	days  map[int64]struct{}
}

// sealed is a record on its way.
type sealed struct {
	record arrow.Record
	since  time.Time // its first row came
	token  string
	tried  bool // an insert may have happened
	items  uint64
	done   []func(error)
}

// New returns a running batch.
func New[T any](cfg Config, table Table[T], sink Sink) (*Batch[T], error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Metrics.begin(table.Name)
	hard, giveUp := context.WithCancel(context.Background())
	b := &Batch[T]{
		cfg: cfg, table: table, sink: sink,
		wake: make(chan struct{}, 1), hard: hard, giveUp: giveUp, stopped: make(chan struct{}), progress: make(chan struct{}),
	}
	b.open.days = map[int64]struct{}{}
	go b.run()
	return b, nil
}

const dayMillis = 24 * 60 * 60 * 1000

// Add takes the item's rows. done, if any, is called when they are stored. When
// Add returns an error, done is never called and nothing was taken.
func (b *Batch[T]) Add(item T, done func(error)) error {
	first, last := b.table.Span(item)
	if last-first > schema.EventTime(b.cfg.MaxDays-1)*dayMillis {
		return schema.Errorf(schema.Invalid, "", "one item spans %s, more than %d days", last.Sub(first), b.cfg.MaxDays)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return schema.Errorf(schema.Unavailable, "", "the server is stopping")
	}
	if b.rows >= b.cfg.MaxRows {
		return schema.Errorf(schema.Unavailable, "", "%d rows of %s wait for the warehouse", b.rows, b.table.Name)
	}
	if b.table.Builder.Len() >= b.cfg.BatchRows || !b.fits(first, last) {
		b.seal()
	}
	b.append(item, done, first, last)
	return nil
}

// fits reports whether the item's days have room in the open batch.
func (b *Batch[T]) fits(first, last schema.EventTime) bool {
	fresh := 0
	for day := int64(first) / dayMillis; day <= int64(last)/dayMillis; day++ {
		if _, known := b.open.days[day]; !known {
			fresh++
		}
	}
	return fresh == 0 || len(b.open.days)+fresh <= b.cfg.MaxDays
}

func (b *Batch[T]) append(item T, done func(error), first, last schema.EventTime) {
	before := b.table.Builder.Len()
	b.table.Builder.Append(item)
	after := b.table.Builder.Len()
	if before == after {
		panic("BUG: an item without rows was added to " + b.table.Name)
	}
	for day := int64(first) / dayMillis; day <= int64(last)/dayMillis; day++ {
		b.open.days[day] = struct{}{}
	}
	if done != nil {
		b.open.done = append(b.open.done, done)
	}
	b.open.items++
	b.added++
	b.rows += after - before
	if before == 0 {
		b.open.since = time.Now()
		b.signal()
	}
	if after >= b.cfg.FlushRows && before < b.cfg.FlushRows {
		b.signal()
	}
	b.cfg.Metrics.waiting(b.table.Name, b.rows)
}

func (b *Batch[T]) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// seal closes the open batch, if it has rows; the caller holds mu.
func (b *Batch[T]) seal() {
	if b.table.Builder.Len() == 0 {
		return
	}
	b.sealed = append(b.sealed, &sealed{
		record: b.table.Builder.NewRecord(), since: b.open.since, token: newToken(b.table.Name), items: b.open.items, done: b.open.done,
	})
	b.open = open{days: b.open.days}
	clear(b.open.days)
}

// newToken names a batch for ever.
func newToken(table string) string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return fmt.Sprintf("%s-%x", table, id)
}

// Pending returns how many rows wait or are on their way.
func (b *Batch[T]) Pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rows
}

// Flush sends what there is and waits until everything added before is stored.
func (b *Batch[T]) Flush(ctx context.Context) error {
	b.mu.Lock()
	goal := b.added
	b.flushes++
	b.signal()
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.flushes--
		b.mu.Unlock()
	}()
	for {
		b.mu.Lock()
		reached, progress, lost := b.settled >= goal, b.progress, b.lost
		b.mu.Unlock()
		if lost > 0 {
			return fmt.Errorf("%d rows of %s were given up", lost, b.table.Name)
		}
		if reached {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stop takes nothing more, stores what there is while the context lasts, then
// gives up what is left. The error counts the rows that were not stored. It may
// be called once.
func (b *Batch[T]) Stop(ctx context.Context) error {
	b.mu.Lock()
	b.stopping = true
	b.signal()
	b.mu.Unlock()
	select {
	case <-b.stopped:
	case <-ctx.Done():
		b.giveUp()
		<-b.stopped
	}
	b.giveUp()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.table.Builder.Release()
	if b.lost > 0 {
		return fmt.Errorf("%d rows of %s were not stored", b.lost, b.table.Name)
	}
	return nil
}

var errGivenUp = errors.New("stopped before the rows were stored")
