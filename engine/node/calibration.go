package node

import (
	"context"

	"mybeacon/engine/calibration"
)

// startCalibrations gives the actors what plans had learned when the server
// stopped, before any frame comes, and stores from then on what they learn.
func (n *Node) startCalibrations(ctx context.Context) error {
	keeper := calibration.New(calibration.Config{
		Learner: n.actors, Store: n.stores.relational, Log: n.log.With("part", "calibration"),
	})
	if err := keeper.Restore(ctx); err != nil {
		return err
	}
	n.life.background("calibrations", keeper.Run)
	return nil
}
