package plan

import (
	"encoding/binary"
	"hash/fnv"
	"math"

	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Calibration is all that a plan has learned about its receivers, to be stored as
// JSON. Receivers are named, so that those which stay where they are keep what they
// have learned when others are moved, put up or taken down.
type Calibration struct {
	Plan      schema.PlanID         `json:"plan"`
	Ground    uint64                `json:"ground"` // what the parts and the expected powers go by
	Cols      int                   `json:"cols"`
	Rows      int                   `json:"rows"`
	Receivers []ReceiverCalibration `json:"receivers"`
	// Through is the event second before which all lessons are in it; milliseconds
	// since the epoch, 0 when that is not known.
	Through int64 `json:"through"`
}

// ReceiverCalibration is what was learned about one receiver.
type ReceiverCalibration struct {
	Receiver schema.ReceiverID `json:"receiver"`
	X        float64           `json:"x"` // where it was, metres
	Y        float64           `json:"y"`
	Z        float64           `json:"z"`
	GainDB   float64           `json:"gain_db,omitempty"` // what it was said to hear louder
	OffsetDB float64           `json:"offset_db"`         // as last in force
	Parts    [][2]float64      `json:"parts"`             // weight and mean in dB per part of the plan; empty while nothing is known
}

// export names what a calibration of a layout has learned. Receivers of which
// nothing is known are left out.
func export(l *schema.Layout, c *locate.Calibration) Calibration {
	s := c.Snapshot()
	out := Calibration{Plan: l.Plan, Ground: ground(l), Cols: s.Cols, Rows: s.Rows}
	for i, r := range l.Receivers {
		if len(s.Receivers[i]) > 0 {
			out.Receivers = append(out.Receivers, ReceiverCalibration{
				Receiver: r.Receiver, X: r.X, Y: r.Y, Z: r.Z, GainDB: r.GainDB, OffsetDB: s.Offsets[i], Parts: s.Receivers[i],
			})
		}
	}
	return out
}

// calibrate makes a calibration for a layout that knows of its receivers what
// was learned of them at the same place. What another ground taught is worth
// nothing. The error says what is wrong with from; then the calibration is blank.
func calibrate(l *schema.Layout, site locate.Locator, from *Calibration) (*locate.Calibration, error) {
	c := site.NewCalibration()
	s := c.Snapshot()
	if from == nil || from.Ground != ground(l) || from.Cols != s.Cols || from.Rows != s.Rows {
		return c, nil
	}
	known := make(map[schema.ReceiverID]*ReceiverCalibration, len(from.Receivers))
	for i := range from.Receivers {
		known[from.Receivers[i].Receiver] = &from.Receivers[i]
	}
	for i, r := range l.Receivers {
		if k := known[r.Receiver]; k != nil && k.X == r.X && k.Y == r.Y && k.Z == r.Z && k.GainDB == r.GainDB {
			s.Receivers[i], s.Offsets[i] = k.Parts, k.OffsetDB
		}
	}
	return c, c.Restore(s)
}

// ground tells layouts apart on which the same place means something else, or the
// same power is expected elsewhere.
func ground(l *schema.Layout) uint64 {
	h := fnv.New64a()
	write := func(numbers ...float64) {
		var b [8]byte
		for _, n := range numbers {
			binary.BigEndian.PutUint64(b[:], math.Float64bits(n))
			_, _ = h.Write(b[:])
		}
	}
	write(l.Bounds.Min.X, l.Bounds.Min.Y, l.Bounds.Max.X, l.Bounds.Max.Y, l.TagHeightM)
	for _, s := range l.Survey {
		_, _ = h.Write(s.Receiver[:])
		write(s.At.X, s.At.Y, float64(s.RSSI), float64(s.Source))
	}
	return h.Sum64()
}
