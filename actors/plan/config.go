package plan

import "time"

// Config holds what receivers of a plan are judged by; see [DefaultConfig].
type Config struct {
	Grace    time.Duration // how long, in event time, the tide waits for a receiver that is behind; set by actors.New
	Patience time.Duration // after so long without a word, in event time, it is not waited for; set by actors.New
	MaxTags  int           // tags that may wait for the tide
}

// DefaultConfig returns the values that the engine runs with.
func DefaultConfig() Config {
	return Config{
		Grace: 2 * time.Second,
		// A scanner that hears nothing says so every 5 s at least. With the grace and
		// a second more, whoever keeps to that lives in whatever order frames arrive.
		Patience: 8 * time.Second,
		MaxTags:  65536,
	}
}
