package plan

import "time"

// Config holds what receivers of a plan are judged by; see [DefaultConfig].
type Config struct {
	Grace    time.Duration // how long, in event time, the tide waits for a receiver that is behind; set by actors.New
	Patience time.Duration // after so long without a word, in event time, it is not waited for; set by actors.New
	MaxTags  int           // tags that may wait for the tide

	Learn      bool // from the tags' fixes by how much each receiver hears louder than others
	MaxLessons int  // lessons that may wait for their epoch; one is of a tag and second
}

// DefaultConfig returns the values that the engine runs with.
func DefaultConfig() Config {
	return Config{
		Grace: 6 * time.Second,
		// A scanner that hears nothing says so every 5 s at least. With twice the grace
		// whoever keeps to that lives in whatever order frames arrive.
		Patience: 17 * time.Second,
		MaxTags:  65536,

		Learn:      true,
		MaxLessons: 65536, // 200 bytes each; 1,500 tags that walk
	}
}
