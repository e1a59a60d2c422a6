package calibration

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mybeacon/actors"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Learner is who learns.
type Learner interface {
	Calibrations() []actors.Calibration
	RestoreCalibrations([]actors.Calibration)
}

// Store is where it is kept.
type Store interface {
	SaveCalibrations(context.Context, []postgres.PlanState) error
	Calibrations(context.Context) ([]postgres.PlanState, error)
}

// Config of a keeper.
type Config struct {
	Learner Learner
	Store   Store
	Every   time.Duration // between two saves; zero: 30 s
	Log     *slog.Logger
}

// lastSave bounds the save at the end: the rest of the server waits for it.
const lastSave = 3 * time.Second

// Keeper stores calibrations and restores them.
type Keeper struct {
	cfg   Config
	saved map[schema.PlanID][sha256.Size]byte // the hash of what is stored
}

// New returns a keeper.
func New(cfg Config) *Keeper {
	if cfg.Every <= 0 {
		cfg.Every = 30 * time.Second
	}
	return &Keeper{cfg: cfg, saved: map[schema.PlanID][sha256.Size]byte{}}
}

// Restore gives the learner what was stored. It must be called before the learner
// learns. A state that cannot be read is logged and that plan begins anew.
func (k *Keeper) Restore(ctx context.Context) error {
	states, err := k.cfg.Store.Calibrations(ctx)
	if err != nil {
		return fmt.Errorf("restore calibrations: %w", err)
	}
	var known []actors.Calibration
	for _, s := range states {
		var c actors.Calibration
		if err := json.Unmarshal(s.JSON, &c); err != nil || c.Plan != s.Plan {
			k.cfg.Log.ErrorContext(ctx, "a plan's calibration cannot be read and begins anew", "plan", s.Plan.String(), "error", err)
			continue
		}
		known = append(known, c)
	}
	k.cfg.Learner.RestoreCalibrations(known)
	return nil
}

// Run saves every so often until the context ends, and then once more.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(k.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.save(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
			defer cancel()
			k.save(last)
			return nil
		}
	}
}

func (k *Keeper) save(ctx context.Context) {
	if err := k.Save(ctx); err != nil && !errors.Is(err, context.Canceled) {
		k.cfg.Log.WarnContext(ctx, "calibrations not stored, will try again", "error", err, "after", k.cfg.Every)
	}
}

// Save stores once what changed since it was stored last. After an error all of
// it is tried again the next time.
func (k *Keeper) Save(ctx context.Context) error {
	hashes := map[schema.PlanID][sha256.Size]byte{} // plans that are no more drop out
	var changed []postgres.PlanState
	for _, c := range k.cfg.Learner.Calibrations() {
		text, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("encode the calibration of plan %s: %w", c.Plan, err)
		}
		hashes[c.Plan] = sha256.Sum256(text)
		if k.saved[c.Plan] != hashes[c.Plan] {
			changed = append(changed, postgres.PlanState{Plan: c.Plan, JSON: text})
		}
	}
	if len(changed) > 0 {
		if err := k.cfg.Store.SaveCalibrations(ctx, changed); err != nil {
			return err
		}
	}
	k.saved = hashes
	return nil
}
