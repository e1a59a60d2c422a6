package images

import "time"

// SetClock gives the decoder another clock.
func (d *Decoder) SetClock(clock func() time.Time) { d.clock = clock }
