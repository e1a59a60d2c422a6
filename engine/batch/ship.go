package batch

import (
	"context"
	"errors"
	"time"
)

// run ships batches until Stop has been called and nothing is left.
func (b *Batch[T]) run() {
	defer close(b.stopped)
	defer b.inserts.Wait()
	timer := time.NewTimer(b.cfg.MaxAge)
	defer timer.Stop()
	for {
		next, wait, over := b.next()
		switch {
		case next != nil:
			b.settle(next, b.ship(next))
			continue
		case over:
			return
		}
		timer.Reset(wait)
		select {
		case <-b.wake:
		case <-timer.C:
		}
	}
}

// next returns the batch to ship now, or how long to wait for one at most.
func (b *Batch[T]) next() (batch *sealed, wait time.Duration, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sealed) == 0 {
		rows := b.table.Builder.Len()
		if rows == 0 {
			return nil, time.Hour, b.stopping
		}
		age := time.Since(b.open.since)
		if rows < b.cfg.FlushRows && age < b.cfg.MaxAge && b.flushes == 0 && !b.stopping {
			return nil, b.cfg.MaxAge - age, false
		}
		b.seal()
	}
	batch = b.sealed[0]
	b.sealed[0] = nil
	b.sealed = b.sealed[1:]
	b.current = batch
	return batch, 0, false
}

// ship inserts the batch or has it kept, again and again until that succeeds or
// it is given up.
func (b *Batch[T]) ship(s *sealed) error {
	pause := b.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		err := b.store(s)
		if err == nil {
			if attempt > 1 {
				b.cfg.Log.Info("stored after failures", "table", b.table.Name, "attempt", attempt)
			}
			return nil
		}
		if b.hard.Err() != nil {
			return errGivenUp
		}
		b.stall(s, err)
		if attempt&(attempt-1) == 0 { // at 1, 2, 4, 8, …: an outage must not fill the log
			b.cfg.Log.Warn("insert failed, the batch is kept and tried again", "table", b.table.Name, "attempt", attempt, "rows", s.record.NumRows(), "again_in", pause, "error", err)
		}
		select {
		case <-time.After(pause):
		case <-b.hard.Done():
			return errGivenUp
		}
		pause = min(2*pause, b.cfg.MaxBackoff)
	}
}

// store makes one attempt: the warehouse takes the batch, or the spool does.
func (b *Batch[T]) store(s *sealed) error {
	spool := b.cfg.Spool
	if spool == nil {
		return b.insert(b.hard, s)
	}
	var full error
	age := time.Since(s.since)
	if spool.Away() || age >= b.cfg.Patience {
		if full = b.keep(s); full == nil {
			return nil
		}
	}
	err := b.insertOrKeep(s, max(b.cfg.Patience-age, b.cfg.Patience/3))
	if err == nil {
		return nil
	}
	return errors.Join(err, full)
}

// insertOrKeep asks the warehouse and, when it fails or lets the batch wait too
// long, has the batch kept. A spool that takes nothing is asked again while the
// insert goes on. An insert that is left behind is cut off and may happen all
// the same: its batch is shipped under the same token.
func (b *Batch[T]) insertOrKeep(s *sealed, patience time.Duration) error {
	ctx, cancel := context.WithCancel(b.hard)
	defer cancel()
	s.tried = true
	s.record.Retain()
	answer := make(chan error, 1)
	b.inserts.Go(func() {
		defer s.record.Release()
		answer <- b.insert(ctx, s)
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case err := <-answer:
			if err == nil || b.keep(s) == nil {
				return nil
			}
			return err
		case <-timer.C:
			err := b.keep(s)
			if err == nil {
				return nil
			}
			b.stall(s, errors.Join(errSlow, err))
			timer.Reset(keepAgain)
		}
	}
}

// keepAgain is how often a spool is asked again that takes nothing.
const keepAgain = time.Second

// keepPatience is how long a disk may take for one batch before it counts as
// taking nothing.
const keepPatience = 5 * time.Second

// Why nothing is stored, beside what store and spool say.
var (
	errSlow  = errors.New("the warehouse has not answered yet")
	errHangs = errors.New("the spool's disk does not answer")
)

func (b *Batch[T]) keep(s *sealed) error {
	watch := time.AfterFunc(keepPatience, func() { b.stall(s, errHangs) })
	defer watch.Stop()
	return b.cfg.Spool.Keep(b.table.Name, s.record, s.token, s.tried)
}

// stall remembers why the batch is not stored, as long as it is on its way: a
// word that comes too late is void.
func (b *Batch[T]) stall(s *sealed, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current == s {
		b.stalled = cause
	}
}

// Stalled returns why nothing is stored at present, nil when batches are: the
// oldest one was refused by the warehouse, or waits for it, and the spool did not
// take it either. It is tried again until one of them does.
func (b *Batch[T]) Stalled() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stalled
}

// insert is one attempt at the warehouse.
func (b *Batch[T]) insert(ctx context.Context, s *sealed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.InsertTimeout)
	defer cancel()
	began := time.Now()
	err := b.sink.Insert(ctx, b.table.Name, s.record, s.token)
	if err != nil {
		b.cfg.Metrics.failed(b.table.Name)
		return err
	}
	b.cfg.Metrics.stored(b.table.Name, int(s.record.NumRows()), time.Since(began))
	return nil
}

// settle tells the items' owners and forgets the batch.
func (b *Batch[T]) settle(s *sealed, err error) {
	rows := int(s.record.NumRows())
	s.record.Release()
	for _, done := range s.done {
		done(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current, b.stalled = nil, nil
	b.rows -= rows
	b.settled += s.items
	if err != nil {
		b.lost += rows
	}
	b.cfg.Metrics.waiting(b.table.Name, b.rows)
	close(b.progress)
	b.progress = make(chan struct{})
}
