package spill

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// start names one start of one scanner.
type start struct {
	organisation schema.OrganisationID
	device       schema.DeviceID
	boot         string
}

// index is which frames are kept. A frame stays in it after its file was
// shipped, since it is stored then; all is forgotten when nothing is kept any
// more and the warehouse knows it all.
type index struct {
	limit int // ranges

	mu     sync.Mutex
	ranges int
	starts map[start]*wire.SeqSet
}

func newIndex(limit int) index { return index{limit: limit, starts: map[start]*wire.SeqSet{}} }

// add takes in a record of observations. A frame is whole in one record, and a
// record was sealed as a whole. Beyond the limit frames are not taken in: who
// asks will store them once more under the same key.
func (ix *index) add(rec arrow.Record) {
	col := func(name string) arrow.Array { return rec.Column(rec.Schema().FieldIndices(name)[0]) }
	orgs, devices := col("org").(*array.FixedSizeBinary), col("device").(*array.FixedSizeBinary)
	boots, seqs := col("boot_id").(*array.Dictionary), col("seq").(*array.Uint64).Uint64Values()
	words := boots.Dictionary().(*array.String)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for from := 0; from < len(seqs); {
		to := from + 1
		for to < len(seqs) && seqs[to] == seqs[from] && boots.GetValueIndex(to) == boots.GetValueIndex(from) &&
			string(devices.Value(to)) == string(devices.Value(from)) {
			to++
		}
		// A word is a piece of the record's memory, and the record goes.
		key := start{boot: strings.Clone(words.Value(boots.GetValueIndex(from)))}
		copy(key.organisation[:], orgs.Value(from))
		copy(key.device[:], devices.Value(from))
		ix.addSeq(key, seqs[from])
		from = to
	}
}

func (ix *index) addSeq(key start, seq uint64) {
	if seq == 0 {
		return // no frame has that number
	}
	set := ix.starts[key]
	if set == nil {
		if ix.ranges >= ix.limit {
			return
		}
		set = &wire.SeqSet{}
		ix.starts[key] = set
	}
	before := set.Len()
	if _, next := set.Containing(seq - 1); ix.ranges >= ix.limit && !next && !set.Contains(seq) {
		return
	}
	set.Add(wire.SeqRange{From: seq, To: seq})
	ix.ranges += set.Len() - before
}

// stored returns the kept frames of one start.
func (ix *index) stored(key start) []wire.SeqRange {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	set := ix.starts[key]
	if set == nil {
		return nil
	}
	return append([]wire.SeqRange(nil), set.Ranges()...)
}

func (ix *index) clear() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	clear(ix.starts)
	ix.ranges = 0
}

// StoredSeqs returns of which frames of the boot the warehouse or the spool
// holds the rows. While the warehouse does not answer, the spool does alone:
// better that a frame is stored twice under one key than that a device waits
// until an outage is over.
//
// It asks the spool first: what is shipped in between is found in the warehouse.
func (s *Spill) StoredSeqs(ctx context.Context, src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error) {
	select {
	case <-s.read:
	case <-s.stopped:
		return nil, schema.Errorf(schema.Unavailable, "", "the server is stopping")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	key := start{src.Organisation, src.Device, bootID}
	kept := s.index.stored(key)
	asked := time.Now()
	asking, cancel := context.WithTimeout(ctx, s.cfg.StoredPatience)
	defer cancel()
	stored, err := s.cfg.Stored.StoredSeqs(asking, src, bootID, since)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if s.silent(asked, err) {
		return kept, nil
	}
	if err != nil {
		return nil, err
	}
	return union(stored, kept), nil
}

// silent reports whether the warehouse has failed to answer for long enough.
func (s *Spill) silent(asked time.Time, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.unasked = time.Time{}
		return false
	}
	if s.unasked.IsZero() {
		s.unasked = asked
	}
	return s.Away() || time.Since(s.unasked) >= s.cfg.StoredPatience
}

func union(a, b []wire.SeqRange) []wire.SeqRange {
	if len(b) == 0 {
		return a
	}
	var set wire.SeqSet
	for _, r := range a {
		set.Add(r)
	}
	for _, r := range b {
		set.Add(r)
	}
	return set.Ranges()
}
