package spill

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/schema/columnar"
)

// idleCheck is how often a spool without work looks whether its directory can be
// written, if it could not, and removes what could not be removed.
const idleCheck = 5 * time.Second

// parcel is what one insert stores.
type parcel struct {
	files []file
	group *group // nil for a file alone
}

// trouble is what happened to a parcel that was not stored yet, by the number of
// its first file.
type trouble struct {
	failures int
	doubted  bool // another parcel was stored since it failed
	passes   int  // how often it was passed over
	until    time.Time
}

// Waits of a parcel that the warehouse refuses while it takes others, after how
// many failures in a row others are tried at all, and how often: seldom, since
// mostly the warehouse is away and the oldest should be the first.
const (
	patientFailures = 6
	otherTurn       = 4
	minPass         = 10 * time.Second
	maxPass         = 5 * time.Minute
)

// run ships until the spool is closed.
func (s *Spill) run() {
	defer close(s.stopped)
	s.tidy()
	if !s.prepare() {
		return
	}
	close(s.read)
	pause := time.Duration(0)
	for !s.stopping() {
		s.tidy()
		p, wait := s.next(time.Now())
		if len(p.files) == 0 {
			s.rest(wait)
			continue
		}
		if s.ship(p) {
			pause = 0
			continue
		}
		pause = min(max(2*pause, s.cfg.MinPause), s.cfg.MaxPause)
		s.sleep(pause)
	}
}

// rest waits for something new, at most that long.
func (s *Spill) rest(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-s.stop:
	}
}

// next returns what to insert now, or how long to wait. After some failures of
// the oldest parcel the one behind it gets an attempt now and then: if that is
// stored, the warehouse is there and the oldest is refused.
func (s *Spill) next(now time.Time) (p parcel, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	grouped := map[string]*group{}
	for _, g := range s.groups {
		for _, name := range g.Files {
			grouped[name] = g
		}
	}
	wait = idleCheck
	var first parcel
	seen := map[identity]bool{}
	for _, i := range s.order() {
		f := s.files[i]
		t := s.troubles[f.seq]
		if t != nil && now.Before(t.until) {
			wait = min(wait, t.until.Sub(now))
			continue
		}
		if seen[f.identity()] {
			continue
		}
		candidate := s.from(i, grouped)
		if len(first.files) > 0 || t == nil || t.failures < patientFailures || s.turn%otherTurn != 0 {
			return candidate, 0
		}
		first = candidate
		for _, member := range first.files {
			seen[member.identity()] = true
		}
	}
	return first, wait
}

// order returns the files' places in the order in which they are shipped: visits
// first, since they are few and tell a server that starts what was going on, then
// by age. The caller holds mu.
func (s *Spill) order() []int {
	visits, rest := make([]int, 0, len(s.files)), make([]int, 0, len(s.files))
	for i, f := range s.files {
		if f.table == columnar.VisitsTable {
			visits = append(visits, i)
		} else {
			rest = append(rest, i)
		}
	}
	return append(visits, rest...)
}

// from returns the parcel that file i begins: its group, or itself with those
// after it that may go with it; the caller holds mu.
func (s *Spill) from(i int, grouped map[string]*group) parcel {
	first := s.files[i]
	if g := grouped[first.name()]; g != nil {
		p := parcel{group: g}
		for _, f := range s.files[i:] {
			if grouped[f.name()] == g {
				p.files = append(p.files, f)
			}
		}
		return p
	}
	p := parcel{files: []file{first}}
	if first.tried || s.alone[first.seq] {
		return p
	}
	rows := first.rows
	for _, f := range s.files[i+1:] {
		if f.table != first.table {
			continue
		}
		rows += f.rows
		if f.tried || s.alone[f.seq] || grouped[f.name()] != nil || rows > s.cfg.GroupRows || len(p.files) == maxGroupFiles {
			break
		}
		p.files = append(p.files, f)
	}
	return p
}

// ship inserts the parcel, or what of it can go together, and removes its files.
func (s *Spill) ship(p parcel) bool {
	content, err := s.open(p)
	if err != nil {
		s.cfg.Log.Warn("a file of the spool cannot be read, trying again", "error", err)
		s.refused(p)
		return false
	}
	if content == nil {
		return true // nothing of it was left
	}
	defer content.release()
	token := s.commit(content)
	rec, err := merge(content.records)
	if err != nil {
		s.cfg.Log.Error("files of the spool cannot be joined", "error", err)
		s.refused(content.parcel)
		return false
	}
	defer rec.Release()
	took, err := s.insert(content.files[0].table, rec, token)
	if err != nil {
		s.cfg.Log.Warn("kept batches not stored, trying again", "table", content.files[0].table, "files", len(content.files), "rows", rec.NumRows(), "error", err)
		s.refused(content.parcel)
		return false
	}
	s.settled(content.parcel, rec.NumRows(), took)
	return true
}

// insert makes one attempt. A warehouse that hung may be back long before an
// insert that it never saw ends: the first attempts are cut early, later ones
// are given more time, since it may be slow as well, and as much as it needed is
// always given.
func (s *Spill) insert(table string, rec arrow.Record, token string) (time.Duration, error) {
	least := min(2*s.cfg.Slow, s.cfg.InsertTimeout)
	s.timeout = max(s.timeout, least)
	ctx, cancel := context.WithTimeout(s.hard, s.timeout)
	defer cancel()
	began := time.Now()
	err := s.cfg.Sink.Insert(ctx, table, rec, token)
	switch took := time.Since(began); {
	case err == nil:
		s.timeout = min(max(least, 4*took), s.cfg.InsertTimeout)
	case ctx.Err() != nil:
		s.timeout = min(2*s.timeout, s.cfg.InsertTimeout)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.attempts++
	if err != nil {
		s.counts.fails++
	}
	return time.Since(began), err
}

// opened is a parcel with its content.
type opened struct {
	parcel
	token   string // of the first file
	records []arrow.Record
}

func (o *opened) release() {
	for _, rec := range o.records {
		rec.Release()
	}
}

// open reads the parcel's files. Damaged ones are set aside, and a parcel that
// is no group yet ends before what cannot go with the first file.
func (s *Spill) open(p parcel) (*opened, error) {
	o := &opened{parcel: parcel{group: p.group}}
	days, tokens := map[int64]struct{}{}, map[string]bool{}
	for _, f := range p.files {
		k, err := load(s.cfg.FS, f)
		switch {
		case errors.Is(err, errDamaged):
			s.setAside(f, err)
			continue
		case errors.Is(err, fs.ErrNotExist):
			s.cfg.Log.Error("a file of the spool has disappeared", "file", f.name(), "rows", f.rows)
			s.forget(f)
			continue
		case err != nil:
			o.release()
			return nil, err
		}
		if len(o.records) > 0 && p.group == nil {
			addDays(days, k.record)
			if len(days) > s.cfg.GroupDays || tokens[k.token] || !k.record.Schema().Equal(o.records[0].Schema()) {
				k.record.Release()
				break
			}
		} else {
			addDays(days, k.record)
			o.token = k.token
		}
		tokens[k.token] = true
		o.records = append(o.records, k.record)
		o.files = append(o.files, f)
	}
	if len(o.files) == 0 {
		s.unlist(p)
		return nil, nil
	}
	return o, nil
}

// commit writes down what is about to be inserted, so that it is repeated under
// the same token whatever happens, and returns that token.
func (s *Spill) commit(o *opened) (token string) {
	if o.group != nil {
		return o.group.Token
	}
	if len(o.files) > 1 {
		g := newGroup(o.files)
		err := s.record(g, o.files[0].seq)
		if err == nil {
			s.mu.Lock()
			s.groups = append(s.groups, g)
			s.mu.Unlock()
			o.group = g
			return g.Token
		}
		// A full disk empties by shipping: one by one it needs no new file.
		s.cfg.Log.Warn("the spool cannot write, its files are shipped one by one", "error", err)
		for _, rec := range o.records[1:] {
			rec.Release()
		}
		o.files, o.records = o.files[:1], o.records[:1]
	}
	s.mark(&o.files[0])
	return o.token
}

// mark has a file say that it was tried alone. Where even that fails, it is
// tried all the same: after a crash its rows might be stored under two tokens,
// which FINAL folds.
func (s *Spill) mark(f *file) {
	if f.tried {
		return
	}
	tried := *f
	tried.tried = true
	err := s.cfg.FS.Rename(f.name(), tried.name())
	if err != nil {
		s.cfg.Log.Warn("a file of the spool cannot be renamed", "file", f.name(), "error", err)
		return
	}
	s.mu.Lock()
	for i := range s.files {
		if s.files[i].identity() == f.identity() {
			s.files[i].tried = true
		}
	}
	s.mu.Unlock()
	*f = tried
	if err := s.cfg.FS.SyncDir(); err != nil {
		s.cfg.Log.Warn("the spool's directory cannot be synced", "error", err)
	}
}

// settled removes what is stored.
func (s *Spill) settled(p parcel, rows int64, took time.Duration) {
	s.forget(p.files...)
	s.mu.Lock()
	for _, t := range s.troubles {
		t.doubted = t.failures >= patientFailures
	}
	s.counts.shipped[p.files[0].table] += uint64(rows)
	if took <= s.cfg.Slow {
		s.away.Store(false)
	}
	s.mu.Unlock()
	s.unlist(p)
	s.clean(p)
}

// refused remembers a failure. A parcel that fails while others are stored is
// taken apart, or passed over for a while.
func (s *Spill) refused(p parcel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := p.files[0].seq
	t := s.troubles[first]
	if t == nil {
		t = &trouble{}
		s.troubles[first] = t
	}
	t.failures++
	if !t.doubted {
		return
	}
	t.doubted = false
	if len(p.files) > 1 && p.group != nil {
		s.cfg.Log.Error("the warehouse refuses a group of kept batches: they are tried one by one", "files", len(p.files))
		s.dissolve(p)
		delete(s.troubles, first)
		return
	}
	wait := min(minPass<<min(t.passes, 10), maxPass)
	t.passes++
	t.until = time.Now().Add(wait)
	s.tell()
	s.cfg.Log.Error("the warehouse refuses a kept batch while it takes others: it is passed over", "file", p.files[0].name(), "again_in", wait)
}

// dissolve has the group's files tried one by one; the caller holds mu. The list
// goes for good before any of them is tried under its own token.
func (s *Spill) dissolve(p parcel) {
	for _, f := range p.files {
		s.alone[f.seq] = true
	}
	s.removeGroup(p.group)
	_ = s.cfg.FS.Remove(p.group.name)
	_ = s.cfg.FS.SyncDir()
}

func (s *Spill) unlist(p parcel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeGroup(p.group)
}

func (s *Spill) removeGroup(g *group) {
	left := s.groups[:0]
	for _, other := range s.groups {
		if other != g {
			left = append(left, other)
		}
	}
	s.groups = left
}

// clean removes the files of a stored parcel. What cannot be removed now is
// tried again later, and after a restart stored again under the same token.
func (s *Spill) clean(p parcel) {
	if err := s.remove(p); err != nil {
		s.cfg.Log.Warn("stored files of the spool cannot be removed, trying again", "error", err)
		s.leftovers = append(s.leftovers, p)
	}
}

// remove says that a group is stored before it removes the first of its files,
// and forgets the group after the last: a power loss in between undoes any part
// of what was not synced.
func (s *Spill) remove(p parcel) error {
	dir := s.cfg.FS
	if g := p.group; g != nil && !g.stored {
		if err := dir.Rename(g.name, g.name+storedEnd); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		g.name, g.stored = g.name+storedEnd, true
		if err := dir.SyncDir(); err != nil {
			return err
		}
	}
	for _, f := range p.files {
		if err := dir.Remove(f.name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if p.group == nil {
		return nil
	}
	if err := dir.SyncDir(); err != nil {
		return err
	}
	if err := dir.Remove(p.group.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// tidy removes what could not be removed, and finds out whether a directory that
// took nothing does again.
func (s *Spill) tidy() {
	if !s.tidied.IsZero() && time.Since(s.tidied) < idleCheck {
		return
	}
	s.tidied = time.Now()
	left := s.leftovers
	s.leftovers = nil
	for _, p := range left {
		s.clean(p)
	}
	s.mu.Lock()
	broken := s.broken != nil
	s.mu.Unlock()
	if broken {
		s.probe()
	}
}
