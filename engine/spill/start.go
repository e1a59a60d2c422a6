package spill

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"mybeacon/schema/columnar"
)

// list reads which files there are. What a stopped server left unfinished is
// removed: nobody was promised it.
func (s *Spill) list() error {
	entries, err := s.cfg.FS.ReadDir()
	if err != nil {
		return err
	}
	var found []file
	var lists []string
	var aside int64
	seq := uint64(0)
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name, damagedEnd)
		f, ok := parseFile(base)
		if ok {
			seq = max(seq, f.seq)
		}
		f.size = e.Size
		switch {
		case strings.HasSuffix(e.Name, tempEnd):
			_ = s.cfg.FS.Remove(e.Name)
		case base != e.Name:
			aside += e.Size
		case ok:
			found = append(found, f)
		case strings.HasPrefix(e.Name, "group."):
			lists = append(lists, e.Name)
		default:
			s.cfg.Log.Warn("a file in the spool's directory is none of the spool's", "file", e.Name)
		}
	}
	inOrder(found)
	found = s.regroup(found, lists)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.seq, s.aside = true, seq, aside
	s.files = append(found, s.files...)
	for _, f := range found {
		s.account(f, 1)
	}
	s.tell()
	if len(found) > 0 {
		s.cfg.Log.Info("the spool has batches of the last run", "files", len(found), "bytes", s.bytes)
	}
	return nil
}

// regroup reads the groups' lists and returns the files that are still to be
// stored.
func (s *Spill) regroup(found []file, lists []string) []file {
	byName := map[string]file{}
	for _, f := range found {
		byName[f.name()] = f
	}
	for _, name := range lists {
		g, err := readGroup(s.cfg.FS, name)
		if err != nil {
			// Its files are shipped one by one, and FINAL folds what was stored.
			s.cfg.Log.Error("a list of the spool is damaged and moved aside", "file", name, "error", err)
			_ = s.cfg.FS.Rename(name, name+damagedEnd)
			s.countDamaged()
			continue
		}
		var files []file
		for _, member := range g.Files {
			if f, ok := byName[member]; ok {
				files = append(files, f)
			}
		}
		if !g.stored && len(files) > 0 {
			s.groups = append(s.groups, g)
			continue
		}
		s.leftovers = append(s.leftovers, parcel{files: files, group: g})
		for _, f := range files {
			delete(byName, f.name())
		}
	}
	left := found[:0]
	for _, f := range found {
		if _, ok := byName[f.name()]; ok {
			left = append(left, f)
		}
	}
	return left
}

func (s *Spill) countDamaged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.damaged++
}

// prepare reads the directory, if that failed at first, and every file of the
// last run. It reports whether shipping may begin.
func (s *Spill) prepare() bool {
	for !s.isListed() {
		if !s.sleep(s.cfg.MaxPause) {
			return false
		}
		if err := s.list(); err == nil {
			s.cfg.Log.Info("the spool's directory can be read again")
		}
	}
	s.mu.Lock()
	files := append([]file(nil), s.files...)
	s.mu.Unlock()
	for _, f := range files {
		if s.stopping() {
			return false
		}
		s.check(f)
	}
	return true
}

func (s *Spill) isListed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed
}

// check reads a file of the last run: it remembers its frames, or moves it
// aside. One that cannot be read for now is left to the shipper.
func (s *Spill) check(f file) {
	k, err := load(s.cfg.FS, f)
	switch {
	case err == nil:
		if f.table == columnar.ObservationsTable {
			s.index.add(k.record)
		}
		k.record.Release()
	case errors.Is(err, errDamaged):
		s.setAside(f, err)
	}
}

// setAside takes a damaged file out of the way.
func (s *Spill) setAside(f file, cause error) {
	s.cfg.Log.Error("a file of the spool is damaged and moved aside: its rows are lost unless the file is repaired", "file", f.name(), "rows", f.rows, "error", cause)
	err := s.cfg.FS.Rename(f.name(), f.name()+damagedEnd)
	s.forget(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.damaged++
	if err == nil || errors.Is(err, fs.ErrExist) {
		s.aside += f.size
	}
}

// sleep waits; it reports false when the spool is to stop.
func (s *Spill) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

func (s *Spill) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
