package batch

import (
	"context"
	"time"
)

// run ships batches until Stop has been called and nothing is left.
func (b *Batch[T]) run() {
	defer close(b.stopped)
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
	return batch, 0, false
}

// ship inserts the batch, again and again until it is stored or given up.
func (b *Batch[T]) ship(s *sealed) error {
	pause := b.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		start := time.Now()
		err := b.insert(s)
		if err == nil {
			b.cfg.Metrics.stored(b.table.Name, int(s.record.NumRows()), time.Since(start))
			if attempt > 1 {
				b.cfg.Log.Info("insert succeeded again", "table", b.table.Name, "attempt", attempt)
			}
			return nil
		}
		if b.hard.Err() != nil {
			return errGivenUp
		}
		b.cfg.Metrics.failed(b.table.Name)
		b.cfg.Log.Warn("insert failed, the batch is kept and tried again", "table", b.table.Name, "attempt", attempt, "rows", s.record.NumRows(), "again_in", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-b.hard.Done():
			return errGivenUp
		}
		pause = min(2*pause, b.cfg.MaxBackoff)
	}
}

func (b *Batch[T]) insert(s *sealed) error {
	if err := b.hard.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(b.hard, b.cfg.InsertTimeout)
	defer cancel()
	return b.sink.Insert(ctx, b.table.Name, s.record, s.token)
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
	b.rows -= rows
	b.settled += s.items
	if err != nil {
		b.lost += rows
	}
	b.cfg.Metrics.waiting(b.table.Name, b.rows)
	close(b.progress)
	b.progress = make(chan struct{})
}
