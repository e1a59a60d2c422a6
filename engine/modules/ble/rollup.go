package ble

import (
	"context"
	"time"
)

// How roll-ups are made: what was written to since is made anew within some minutes. A
// round makes some days only, so that questions need not wait long behind it.
const (
	rollUpEvery = 5 * time.Minute
	rollUpDays  = 5
	rollUpLimit = 10 * time.Minute // of one round
)

// rollUp keeps the roll-ups of the past, again and again. Processes that share the
// stores take turns.
func (m *Module) rollUp(ctx context.Context) {
	tick := time.NewTicker(rollUpEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		round, cancel := context.WithTimeout(ctx, rollUpLimit)
		err := m.host.DB.Locked(round, "ble roll-ups", func(ctx context.Context) error {
			_, err := m.Analytics().RollUp(ctx, rollUpDays)
			return err
		})
		cancel()
		if err != nil && ctx.Err() == nil {
			m.host.Log.WarnContext(ctx, "days not rolled up, will try again", "module", m.ID(), "error", err, "after", rollUpEvery)
		}
	}
}
