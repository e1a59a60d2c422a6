package seed_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/bench/seed"
	"mybeacon/schema"
)

func moscow(t *testing.T) *time.Location {
	t.Helper()
	in, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// The rows of a day are those that the engine would write: fixes by time that hold no
// longer than to the next, thinned by its rule; visits that begin and end with fixes, and
// a part's within its whole's. What visits say of a zone is what its fixes say.
func TestDaysAreLikeTheEngines(t *testing.T) {
	in := moscow(t)
	l := seed.NewLife(1, 40, in, "en")
	fixes, visits := 0, 0
	for day := 16; day < 23; day++ {
		midnight := time.Date(2026, 11, day, 0, 0, 0, 0, in)
		for tag := range l.Tags() {
			f, v := l.Day(tag, midnight)
			checkFixes(t, f, midnight)
			checkVisits(t, l, f, v)
			fixes, visits = fixes+len(f), visits+len(v)
		}
	}
	t.Logf("%d fixes, %d visits of 40 tags in a week", fixes, visits)
	if fixes < 100_000 || visits < 2_000 {
		t.Error("hardly anybody lives here")
	}
}

func checkFixes(t *testing.T, fixes []seed.Fix, midnight time.Time) {
	t.Helper()
	from, to := schema.EventTimeOf(midnight), schema.EventTimeOf(midnight.AddDate(0, 0, 1))
	for i, f := range fixes {
		if f.At%1000 != 0 || f.At < from || f.At.Add(time.Duration(f.ValidMs)*time.Millisecond) > to || f.ValidMs < 0 || f.ValidMs > 30_000 {
			t.Fatalf("a fix that cannot be: %+v", f)
		}
		if i > 0 && fixes[i-1].At+schema.EventTime(fixes[i-1].ValidMs) > f.At {
			t.Fatalf("%+v holds into %+v", fixes[i-1], f)
		}
	}
}

func checkVisits(t *testing.T, l *seed.Life, fixes []seed.Fix, visits []seed.Visit) {
	t.Helper()
	byFixes, byVisits := map[int]int64{}, map[int]int64{}
	for i, f := range fixes {
		for z := f.Zone; z >= 0; z = l.Zones()[z].Parent {
			// Over the stairs it is not heard, and in a zone nothing is missed.
			held := f.ValidMs
			if i+1 < len(fixes) && fixes[i+1].Zone == f.Zone && fixes[i+1].Floor == f.Floor {
				held = int64(fixes[i+1].At - f.At)
			}
			byFixes[z] += held
		}
	}
	for i, v := range visits {
		if v.To <= v.From {
			t.Fatalf("a visit that never ends: %+v", v)
		}
		byVisits[v.Zone] += int64(v.To - v.From)
		if parent := l.Zones()[v.Zone].Parent; parent >= 0 && !within(visits[:i], parent, v) {
			t.Fatalf("%+v is in no visit to the whole", v)
		}
	}
	if diff := cmp.Diff(byFixes, byVisits); diff != "" {
		t.Fatalf("fixes and visits disagree:\n%s", diff)
	}
}

func within(visits []seed.Visit, zone int, part seed.Visit) bool {
	for _, v := range visits {
		if v.Zone == zone && v.From <= part.From && v.To >= part.To {
			return true
		}
	}
	return false
}

// A day is the same however often and in whatever order it is lived, and another seed's is
// another.
func TestLifeIsDeterministic(t *testing.T) {
	in := moscow(t)
	midnight := time.Date(2026, 11, 18, 0, 0, 0, 0, in)
	one, again, other := seed.NewLife(7, 20, in, "ru"), seed.NewLife(7, 20, in, "ru"), seed.NewLife(8, 20, in, "ru")
	same := 0
	for tag := 19; tag >= 0; tag-- {
		f, v := one.Day(tag, midnight)
		f2, v2 := again.Day(tag, midnight)
		if !cmp.Equal(f, f2) || !cmp.Equal(v, v2) {
			t.Fatalf("tag %d has two pasts", tag)
		}
		if f3, _ := other.Day(tag, midnight); len(f) > 0 && cmp.Equal(f, f3) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d tags live the same with another seed", same)
	}
}
