package calibration_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors"
	"mybeacon/actors/plan"
	"mybeacon/engine/calibration"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// book is who learns: the test writes what was learned into it.
type book struct {
	mu    sync.Mutex
	known []actors.Calibration
	asked chan struct{} // nil: nobody waits
}

func (b *book) Calibrations() []actors.Calibration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked != nil {
		b.asked <- struct{}{}
	}
	return b.known
}

func (b *book) RestoreCalibrations(all []actors.Calibration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known = all
}

func learned(n byte, offset float64) actors.Calibration {
	return actors.Calibration{
		Plan: schema.PlanID{n}, Ground: math.MaxUint64 - uint64(n), Cols: 2, Rows: 1,
		Receivers: []plan.ReceiverCalibration{{Receiver: schema.ReceiverID{n}, X: 1, Y: 0.1, Z: 2.5, OffsetDB: offset, Parts: [][2]float64{{1, offset}, {0, 0}}}},
	}
}

// counted counts what is stored.
type counted struct {
	*postgres.DB
	plans int
}

func (c *counted) SaveCalibrations(ctx context.Context, states []postgres.PlanState) error {
	c.plans += len(states)
	return c.DB.SaveCalibrations(ctx, states)
}

func keeper(l calibration.Learner, s calibration.Store, every time.Duration) *calibration.Keeper {
	return calibration.New(calibration.Config{Learner: l, Store: s, Every: every, Log: slog.New(slog.DiscardHandler)})
}

// What was stored comes back as it was, and only what changed is stored again.
func TestSaveAndRestore(t *testing.T) {
	db := &counted{DB: postgrestest.Open(t)}
	ctx := t.Context()
	source := &book{known: []actors.Calibration{learned(1, 0.25), learned(2, -3)}}
	k := keeper(source, db, 0)
	save := func(plans int) {
		t.Helper()
		db.plans = 0
		if err := k.Save(ctx); err != nil || db.plans != plans {
			t.Errorf("stored %d plans, want %d: %v", db.plans, plans, err)
		}
	}
	save(2)
	save(0)
	source.known = []actors.Calibration{learned(2, -3), learned(1, 0.5)}
	save(1)
	source.known = source.known[1:] // a plan is gone
	save(0)
	source.known = append(source.known, learned(3, 1))
	save(1)

	var next book
	if err := keeper(&next, db, 0).Restore(ctx); err != nil {
		t.Fatal(err)
	}
	want := []actors.Calibration{learned(1, 0.5), learned(2, -3), learned(3, 1)}
	if diff := cmp.Diff(want, next.known); diff != "" {
		t.Error(diff)
	}
}

// A state that cannot be read costs its own plan only.
func TestBrokenState(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	if err := keeper(&book{known: []actors.Calibration{learned(1, 1)}}, db, 0).Save(ctx); err != nil {
		t.Fatal(err)
	}
	broken := []postgres.PlanState{{Plan: schema.PlanID{2}, JSON: []byte(`{"plan": 7}`)}, {Plan: schema.PlanID{3}, JSON: []byte(`{}`)}}
	if err := db.SaveCalibrations(ctx, broken); err != nil {
		t.Fatal(err)
	}
	var next book
	var logged bytes.Buffer
	k := calibration.New(calibration.Config{Learner: &next, Store: db, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	if err := k.Restore(ctx); err != nil || len(next.known) != 1 || strings.Count(logged.String(), "begins anew") != 2 {
		t.Errorf("restored %+v, %v; logged %s", next.known, err, &logged)
	}
}

// away is a store that can be unplugged.
type away struct {
	mu sync.Mutex
	calibration.Store
}

func (a *away) plug(s calibration.Store) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Store = s
}

func (a *away) SaveCalibrations(ctx context.Context, states []postgres.PlanState) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.Store.SaveCalibrations(ctx, states)
}

// While the store is away nothing is lost, and the end saves what the last round
// has not.
func TestStoreAway(t *testing.T) {
	db, closed := postgrestest.Open(t), postgrestest.Open(t)
	closed.Close()
	store := &away{Store: closed}
	source := &book{known: []actors.Calibration{learned(1, 1)}, asked: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- keeper(source, store, time.Millisecond).Run(ctx) }()
	for range 3 { // rounds that fail
		<-source.asked
	}
	if states, err := db.Calibrations(t.Context()); err != nil || len(states) != 0 {
		t.Fatalf("stored %v, %v", states, err)
	}
	store.plug(db)
	<-source.asked
	<-source.asked // the round before is over
	if states, err := db.Calibrations(t.Context()); err != nil || len(states) != 1 {
		t.Errorf("stored %v, %v", states, err)
	}
	cancel()
	for end := false; !end; {
		select {
		case <-source.asked:
		case err := <-ended:
			if end = true; err != nil {
				t.Error(err)
			}
		}
	}
	if err := keeper(source, closed, 0).Restore(t.Context()); err == nil {
		t.Error("restoring from a store that is away succeeded")
	}
}
