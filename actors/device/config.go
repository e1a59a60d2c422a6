package device

import "time"

// Config holds what devices are judged by; see [DefaultConfig].
type Config struct {
	Hold        time.Duration // how long in event time a gap in the frame numbers holds progress; set by actors.New
	Quiet       time.Duration // how long in event time a tag must not have been heard before progress is told to it; set by actors.New
	Remember    time.Duration // how long in event time progress is told to a tag that is no longer heard; set by actors.New
	OnlineFor   time.Duration // after the last frame, on the server's clock
	HealthEvery time.Duration // at most so often is health told while online does not change
	MaxTags     int           // tags remembered per device
}

// DefaultConfig returns the values that the engine runs with.
func DefaultConfig() Config {
	return Config{
		Hold: 5 * time.Second, Quiet: time.Minute, Remember: 73 * time.Second,
		OnlineFor: 30 * time.Second, HealthEvery: 10 * time.Second,
		MaxTags: 16384, // far more than one radio hears; 40 bytes each
	}
}
