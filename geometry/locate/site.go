package locate

import (
	"fmt"
	"math"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
)

// MaxReceivers bounds the receivers of one plan, and with the bound on cells the
// memory of a locator's tables.
const MaxReceivers = 4096

// Site is what a locator must know of a plan. All lengths are metres in the
// plan's own coordinates.
type Site struct {
	Bounds     r2.Rect      // no estimate ever leaves it
	Receivers  []r3.Vector  // x, y on the plan and z above its floor; Sample.Receiver indexes it
	GainDB     []float64    // per receiver: by how much it hears louder than its siblings, as people know; none: by nothing
	TagHeightM float64      // usual height of tags above the floor
	Survey     []Labelled   // what was heard at known places, of any number; may be empty
	NoGo       [][]r2.Point // polygons in which no estimate ever lies; see fence.Validate
}

// Validate reports the first thing that makes positioning on the site
// impossible. Receivers may lie outside the bounds: on an outer wall, or beyond.
func (s Site) Validate() error {
	lo, size := s.Bounds.Lo(), s.Bounds.Size()
	if !finite(lo.X) || !finite(lo.Y) || !finite(size.X) || !finite(size.Y) || !(size.X > 0) || !(size.Y > 0) {
		return fmt.Errorf("locate: bounds %v are not a rectangle with positive sides", s.Bounds)
	}
	if len(s.Receivers) == 0 || len(s.Receivers) > MaxReceivers {
		return fmt.Errorf("locate: %d receivers; a plan has 1 to %d", len(s.Receivers), MaxReceivers)
	}
	for i, r := range s.Receivers {
		if !finite(r.X) || !finite(r.Y) || !finite(r.Z) {
			return fmt.Errorf("locate: receiver %d at %v is not finite", i, r)
		}
	}
	if len(s.GainDB) != 0 && len(s.GainDB) != len(s.Receivers) {
		return fmt.Errorf("locate: %d gains of %d receivers", len(s.GainDB), len(s.Receivers))
	}
	if err := checkOffsets(s.GainDB); err != nil {
		return err
	}
	if !finite(s.TagHeightM) {
		return fmt.Errorf("locate: tag height %g is not finite", s.TagHeightM)
	}
	if len(s.Survey) > MaxSurvey {
		return fmt.Errorf("locate: a survey of %d readings; a plan has at most %d", len(s.Survey), MaxSurvey)
	}
	for i, l := range s.Survey {
		if err := l.validate(s.Bounds, len(s.Receivers)); err != nil {
			return fmt.Errorf("locate: survey reading %d: %w", i, err)
		}
	}
	return nil
}

// gain returns what is known beforehand of how much louder the receiver hears, dB.
func (s Site) gain(receiver int) float64 {
	if len(s.GainDB) == 0 {
		return 0
	}
	return s.GainDB[receiver]
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
