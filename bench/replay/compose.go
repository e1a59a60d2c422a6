package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// Base is the event time of a recording's second 0: 2026-01-01T00:00:00Z.
const Base schema.EventTime = 1_767_225_600_000

const (
	// pauseAfter is the silence of all receivers after which a recording is
	// taken as paused; it is above the timeout after which a tag is absent.
	pauseAfter = 2 * time.Minute
	// maxPerFrame keeps frames below what the server takes in one.
	maxPerFrame = 5_000
)

// bootID names the replay of these events. The 2 is the version of the way
// frames are composed: another way must not meet the frames of this one.
func bootID(site *recording.Site) string {
	sum := sha256.Sum256(append([]byte("mybeacon replay 2\x00"), site.Digest[:]...))
	return "replay-" + hex.EncodeToString(sum[:16])
}

// outgoing is a frame and the device that sends it.
type outgoing struct {
	device int // index of the receiver
	frame  schema.Frame
}

// composer makes the frames of a recording second by second.
type composer struct {
	site         *recording.Site
	transmitters []schema.Transmitter // of each track
	boot         string
	cursors      []int            // per track: the next event
	seqs         []uint64         // per receiver: of its last frame
	now, last    schema.EventTime // the second to make next, the second of the last event
	quiet        schema.EventTime // end of the last second in which anything was heard
}

func newComposer(site *recording.Site, transmitters []schema.Transmitter) *composer {
	first, last := site.Span()
	c := &composer{
		site: site, transmitters: transmitters, boot: bootID(site),
		cursors: make([]int, len(site.Tracks)), seqs: make([]uint64, len(site.Receivers)),
		now: Base.Add(first).Second(), last: Base.Add(last).Second(),
	}
	c.quiet = c.now
	return c
}

// next returns the next second and its frames in the order of receivers; false at
// the end.
func (c *composer) next() (schema.EventTime, []outgoing, bool) {
	if c.now > c.last {
		return 0, nil, false
	}
	second := c.now
	frames := c.frames(second.Add(time.Second), c.hear(second))
	c.now = c.following(second)
	return second, frames, true
}

// hear returns what each receiver heard in the second, in the order of time.
func (c *composer) hear(second schema.EventTime) [][]schema.Observation {
	heard := make([][]schema.Observation, len(c.site.Receivers))
	end := second.Add(time.Second)
	for t, track := range c.site.Tracks {
		for ; c.cursors[t] < len(track.Events); c.cursors[t]++ {
			e := track.Events[c.cursors[t]]
			at := Base.Add(e.At)
			if at >= end {
				break
			}
			heard[e.Receiver] = append(heard[e.Receiver], schema.Observation{At: at, Transmitter: c.transmitters[t], RSSI: e.RSSI})
			c.quiet = end
		}
	}
	return heard
}

// frames makes the frames of the second that ends then: of each receiver one, empty
// when it heard nothing. A server that waits for everybody before it fixes a tag
// then waits for nobody who was merely silent.
func (c *composer) frames(end schema.EventTime, heard [][]schema.Observation) []outgoing {
	var out []outgoing
	for r, observations := range heard {
		slices.SortStableFunc(observations, func(a, b schema.Observation) int { return int(min(max(a.At-b.At, -1), 1)) })
		for first := true; first || len(observations) > 0; first = false {
			n := min(len(observations), maxPerFrame)
			c.seqs[r]++
			out = append(out, outgoing{r, schema.Frame{BootID: c.boot, Seq: c.seqs[r], SentAt: end, Observations: observations[:n:n]}})
			observations = observations[n:]
		}
	}
	return out
}

// following returns the second after this one, beyond a pause of the recording.
func (c *composer) following(second schema.EventTime) schema.EventTime {
	following := second.Add(time.Second)
	if following.Sub(c.quiet) < pauseAfter {
		return following
	}
	earliest := c.last.Add(time.Second)
	for t, track := range c.site.Tracks {
		if c.cursors[t] < len(track.Events) {
			earliest = min(earliest, Base.Add(track.Events[c.cursors[t]].At).Second())
		}
	}
	return max(earliest, following)
}
