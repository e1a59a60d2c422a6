package rederive

import (
	"math"

	"mybeacon/schema"
)

// verdict is how what was found of one tag differs from what is stored.
type verdict struct {
	fixes, goneFixes   []schema.Fix
	visits, goneVisits []schema.Visit
	exchanges          []exchange
	last               schema.EventTime // of the newest difference
	live               map[schema.VisitID]bool
}

// exchange is an open visit that began at another time.
type exchange struct{ instead, visit schema.Visit }

// stretch is what is judged of a tag.
type stretch struct {
	from, end schema.EventTime
	// firm is up to when what was found stays so: the fix that held then may turn out
	// to have held for less than it says.
	firm     schema.EventTime
	underWay []schema.Visit          // that the tag which lives again is in at the end
	live     map[schema.VisitID]bool // that the actors hold open: only they may end them
}

// compare judges a stretch. Found and stored are all that is known of the tag there.
func compare(s stretch, found, stored Derived) *verdict {
	v := &verdict{live: s.live}
	v.compareFixes(s.from, s.end, s.firm, found.Fixes, stored.Fixes)
	v.compareVisits(s.from, s.end, found.Visits, stored.Visits, s.underWay)
	return v
}

func (v *verdict) compareFixes(from, end, firm schema.EventTime, found, stored []schema.Fix) {
	was := make(map[schema.EventTime]schema.Fix, len(stored))
	for _, f := range stored {
		if f.At >= from && f.At <= end {
			was[f.At] = f
		}
	}
	for _, f := range found {
		if f.At < from || f.At > end {
			continue
		}
		old, known := was[f.At]
		delete(was, f.At)
		if known && f.At.Add(f.ValidFor) > firm {
			f.ValidFor = old.ValidFor
		}
		if !known || !sameFix(&old, &f) {
			v.fixes = append(v.fixes, f)
			v.differs(f.At)
		}
	}
	for _, f := range was {
		v.goneFixes = append(v.goneFixes, f)
		v.differs(f.At)
	}
}

func (v *verdict) differs(at schema.EventTime) { v.last = max(v.last, at) }

// sameFix reports whether two fixes tell analysts the same. A track that began a few
// minutes before forgets where it began, but not to the last bit.
func sameFix(a, b *schema.Fix) bool {
	const metres, share = 0.01, 0.01
	near := func(x, y, by float64) bool { return math.Abs(x-y) <= by }
	return a.Plan == b.Plan && a.Zone == b.Zone && a.Receiver == b.Receiver && a.Receivers == b.Receivers && a.RSSI == b.RSSI && a.ValidFor == b.ValidFor &&
		near(a.X, b.X, metres) && near(a.Y, b.Y, metres) && near(a.AccuracyM, b.AccuracyM, metres) &&
		near(a.Accuracy95M, b.Accuracy95M, 2*metres) && near(a.ZoneP, b.ZoneP, share)
}

// compareVisits judges visits that have ended by their ids, and those under way at
// the end by their zones.
func (v *verdict) compareVisits(from, end schema.EventTime, found, stored, underWay []schema.Visit) {
	was := make(map[schema.VisitID]schema.Visit, len(stored))
	var going []schema.Visit // of the stored ones
	for _, s := range stored {
		switch {
		case s.EnteredAt <= end && (s.LeftAt.IsZero() || s.LeftAt > end):
			going = append(going, s)
		case s.LeftAt >= from && s.LeftAt <= end:
			was[s.ID] = s
		}
	}
	for _, d := range underWay {
		if _, ended := was[d.ID]; ended { // it is said to have ended: it may yet
			delete(was, d.ID)
			v.differs(end)
			continue
		}
		going = v.pair(d, going, end)
	}
	v.ended(from, end, found, was, going)
	for _, s := range was {
		v.goneVisits = append(v.goneVisits, s)
		v.differs(s.LeftAt)
	}
}

// pair finds the stored visit that is the one under way, and returns the others.
func (v *verdict) pair(d schema.Visit, going []schema.Visit, end schema.EventTime) []schema.Visit {
	for i, s := range going {
		if s.Parent.IsZero() != d.Parent.IsZero() {
			continue // a visit to a part, and one to a whole
		}
		switch {
		case s.ID == d.ID:
		case s.Zone == d.Zone && s.Plan == d.Plan:
			d.LeftAt = s.LeftAt
			v.exchanges = append(v.exchanges, exchange{s, d})
			v.differs(max(s.EnteredAt, d.EnteredAt))
		default:
			v.differs(end)
		}
		return append(going[:i:i], going[i+1:]...)
	}
	v.differs(end)
	return going
}

// ended judges the visits that were found to have ended. Going are stored ones that
// go on although none is under way.
func (v *verdict) ended(from, end schema.EventTime, found []schema.Visit, was map[schema.VisitID]schema.Visit, going []schema.Visit) {
	goesOn := make(map[schema.VisitID]schema.Visit, len(going))
	for _, s := range going {
		goesOn[s.ID] = s
	}
	for _, d := range found {
		if d.LeftAt.IsZero() || d.LeftAt < from || d.LeftAt > end {
			continue
		}
		if v.live[d.ID] {
			delete(goesOn, d.ID)
			v.differs(end)
			continue
		}
		old, known := was[d.ID]
		delete(was, d.ID)
		delete(goesOn, d.ID)
		if !known || old.LeftAt != d.LeftAt || old.Zone != d.Zone || old.Parent != d.Parent || old.Plan != d.Plan {
			v.visits = append(v.visits, d)
			v.differs(d.LeftAt)
		}
	}
	for _, s := range goesOn {
		v.differs(end)
		if s.LeftAt.IsZero() && !v.live[s.ID] { // nobody else will ever end it
			v.goneVisits = append(v.goneVisits, s)
		}
	}
}
