package actors

import (
	"log/slog"
	"time"

	"mybeacon/actors/device"
	"mybeacon/actors/mailbox"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Output takes what the actors find. Its methods are called on the actors'
// workers, from several at once, and must not block. Calls about one tag, and
// about one zone, come in order.
type Output interface {
	TagMoved(schema.TagMoved)   // every fix, and every change of presence
	Fix(schema.Fix)             // what storage needs of them; again, with a higher Rev, when ValidFor was shorter than it said
	Visit(schema.Visit)         // at entry with LeftAt zero, and at exit with a higher Rev
	Occupancy(schema.Occupancy) // the newest of a burst of changes
}

// Health takes what is known of devices: each change of online, and at most one
// update per 10 s and device. It must not block.
type Health interface {
	DeviceHealth(schema.DeviceHealth)
}

// Tides takes how far plans have been heard: whatever their living receivers heard
// before has been told to the tags. A tide may go back a little when a receiver comes
// to life again. It is called once per second of a plan, and must not block.
type Tides interface {
	Tide(plan schema.PlanID, through schema.EventTime)
}

// Layouts gives the current layout of a plan; false when there is none. It is
// called for every fix: it must be cheap and safe for concurrent use. A changed
// plan has a higher Version.
type Layouts interface {
	Layout(schema.PlanID) (*schema.Layout, bool)
}

// Config is what a [System] needs; begin with [DefaultConfig].
type Config struct {
	Log     *slog.Logger
	Output  Output
	Health  Health
	Layouts Layouts
	Learned Learned // may be nil
	Tides   Tides   // may be nil

	Workers      int           // goroutines that run actors; 0 = one per processor
	MailboxLimit int           // live messages that may wait for one actor
	SweepEvery   time.Duration // how often offline devices and idle actors are looked for
	MaxActors    int           // per kind, beyond which nothing new is followed: a guard, not a quota
	Start        time.Time     // of this process: the base of Rev, which must grow across restarts
	Now          func() time.Time

	Fence  fence.Config
	Locate locate.Config
	Tag    tag.Config
	Plan   plan.Config
	Device device.Config
}

// DefaultConfig returns a configuration that lacks Log, Output, Health, Layouts
// and Start.
func DefaultConfig() Config {
	return Config{
		MailboxLimit: mailbox.DefaultLimit,
		SweepEvery:   5 * time.Second, // a device is offline 30 s after its last word, give or take this
		MaxActors:    200_000,         // at 4 KiB each a gigabyte: ten times the largest site planned for
		Now:          time.Now,
		Fence:        fence.DefaultConfig(),
		Locate:       locate.DefaultConfig(),
		Tag:          tag.DefaultConfig(),
		Plan:         plan.DefaultConfig(),
		Device:       device.DefaultConfig(),
	}
}

// Validate reports the first field that is missing or cannot work.
func (c *Config) Validate() error {
	switch {
	case c.Log == nil || c.Output == nil || c.Health == nil || c.Layouts == nil || c.Now == nil:
		return schema.Errorf(schema.Invalid, "actors", "Log, Output, Health, Layouts and Now must be set")
	case c.Start.IsZero():
		return schema.Errorf(schema.Invalid, "actors.Start", "must be the start of the process")
	case c.MailboxLimit < 1 || c.MailboxLimit > 1_000_000:
		return schema.Errorf(schema.Invalid, "actors.MailboxLimit", "%d is not 1…1000000", c.MailboxLimit)
	case c.SweepEvery < 100*time.Millisecond:
		return schema.Errorf(schema.Invalid, "actors.SweepEvery", "%v is less than 100ms", c.SweepEvery)
	case c.MaxActors < 1:
		return schema.Errorf(schema.Invalid, "actors.MaxActors", "%d is less than 1", c.MaxActors)
	case c.Workers < 0:
		return schema.Errorf(schema.Invalid, "actors.Workers", "%d is negative", c.Workers)
	}
	_, err := c.Complete()
	return err
}

// aliveEvery is how long a device that hears nothing may go without telling so.
const aliveEvery = 5 * time.Second

// frameSpan is of how much time a frame that hears something tells.
const frameSpan = time.Second

// Complete returns c as a System made from it uses it: what the parts must agree on
// is derived. It is for those who run the parts by themselves, without Log, Output,
// Health, Layouts and Start; the error is about the parts.
func (c Config) Complete() (Config, error) {
	for _, part := range []interface{ Validate() error }{c.Fence, c.Locate, c.Tag} {
		if err := part.Validate(); err != nil {
			return c, err
		}
	}
	c.complete()
	return c, nil
}

// complete derives what the parts must agree on.
func (c *Config) complete() {
	c.Tag.Fence = c.Fence
	// Nobody is absent before the timeout. A tag waits for the word of every receiver that heard it within the window
	// before it fell silent, and that until no other can have heard it in time: so
	// devices must remember their tags at least so long.
	c.Device.Quiet = c.Fence.Timeout
	c.Device.Remember = c.Fence.Timeout + c.Tag.Window + c.Tag.Grace + 2*time.Second
	c.Device.Hold, c.Plan.Grace = c.Tag.Grace-frameSpan, c.Tag.Grace
	// Two words of a receiver that keeps to its times are no further apart, though
	// the first is early and the second late.
	c.Plan.Patience = aliveEvery + 2*c.Tag.Grace
}
