package tag

import (
	"time"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// Config holds what tags are judged by; see [DefaultConfig].
type Config struct {
	Window time.Duration        // a fix sees samples up to this age
	Grace  time.Duration        // how long, in event time, a second waits for a receiver that is behind
	Zones  fence.DecisionConfig // which zone a fix shows
	Model  zonemodel.Config     // zones that are learned

	// RestOdds is by how much higher the odds for a change of the shown zone must be
	// while the tag rests.
	RestOdds float64
	// Beyond LongStay the odds that a change of the shown zone must have grow in
	// proportion to the stay, up to the probability LongStayP.
	LongStay  time.Duration
	LongStayP float64

	Fence fence.Config // when a visit begins and ends; its Timeout is the silence that makes a tag absent; actors.Config.Fence wins

	PlanLead    float64 // how many times louder another plan must be to take the tag
	PlanSeconds int     // for how many fixes on end

	StoreEvery time.Duration // a tag that rests is stored so often
	StoreMoveM float64       // a tag that moved so far is stored, or half its accuracy if that is more

	MaxReceivers int // receivers remembered per tag
	MaxSamples   int // samples remembered per tag
}

// DefaultConfig returns the values that the engine runs with.
func DefaultConfig() Config {
	return Config{
		Window: 5 * time.Second, // tags that send every 1…3 s are still heard by most receivers
		Grace:  6 * time.Second, // frames overtake each other by up to 5 s, and tell of up to a second
		Zones:  fence.DefaultDecisionConfig(),
		Model:  zonemodel.DefaultConfig(),

		RestOdds: 2,
		LongStay: 180 * time.Second, LongStayP: 0.98,

		Fence: fence.DefaultConfig(),

		PlanLead: 1.25, PlanSeconds: 3,
		StoreEvery: 30 * time.Second, StoreMoveM: 1,

		MaxReceivers: maxScored,
		MaxSamples:   2048, // 10 a second from 16 receivers for window, grace and the second itself
	}
}

// Validate reports the first field that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Window < time.Second || c.Window > time.Minute:
		return schema.Errorf(schema.Invalid, "Window", "%v is not 1s…1m", c.Window)
	case c.Grace < time.Second || c.Grace > 10*time.Second:
		return schema.Errorf(schema.Invalid, "Grace", "%v is not 1s…10s", c.Grace)
	case c.Fence.Timeout < c.Window:
		return schema.Errorf(schema.Invalid, "Fence.Timeout", "%v is shorter than the window of %v", c.Fence.Timeout, c.Window)
	case !(c.RestOdds >= 1 && c.RestOdds <= 100):
		return schema.Errorf(schema.Invalid, "RestOdds", "%g is not 1…100", c.RestOdds)
	case c.PlanLead < 1 || c.PlanSeconds < 1:
		return schema.Errorf(schema.Invalid, "PlanLead", "%g times for %d fixes: both must be at least 1", c.PlanLead, c.PlanSeconds)
	case c.StoreEvery < time.Second || c.StoreMoveM < 0:
		return schema.Errorf(schema.Invalid, "StoreEvery", "%v must be at least 1s, and %g m not negative", c.StoreEvery, c.StoreMoveM)
	case c.MaxReceivers < 1 || c.MaxReceivers > maxScored || c.MaxSamples < 16:
		return schema.Errorf(schema.Invalid, "MaxReceivers", "%d receivers and %d samples: 1…%d and at least 16", c.MaxReceivers, c.MaxSamples, maxScored)
	}
	if err := c.Model.Validate(); err != nil {
		return err
	}
	return c.Zones.Validate()
}
