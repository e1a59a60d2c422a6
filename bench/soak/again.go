package soak

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mybeacon/schema"
)

// recent keeps the last frames of each receiver. It is safe for concurrent use.
type recent struct {
	mu     *sync.Mutex
	frames [][]schema.Frame
}

// keptFrames is what reordering may reach back: below the 6 s after which the server
// takes an observation as late.
const keptFrames = 4

func newRecent(receivers int) recent {
	return recent{new(sync.Mutex), make([][]schema.Frame, receivers)}
}

func (r *recent) add(receiver int, f schema.Frame) {
	f.Observations = slices.Clone(f.Observations) // the world uses them again
	r.mu.Lock()
	defer r.mu.Unlock()
	list := append(r.frames[receiver], f)
	r.frames[receiver] = list[max(0, len(list)-keptFrames):]
}

func (r *recent) of(receiver int) []schema.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.frames[receiver])
}

// again sends what the scanners have sent once more, through the other door and in any
// order, three times.
func again(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	var answers statuses
	frames := 0
	for range 3 {
		for receiver, d := range b.site.Devices {
			list := b.frames.of(receiver)
			b.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			frames += len(list)
			answers.add(post(ctx, b.server.URL(), d.Token, encoded(list...)))
		}
	}
	if answers.failed() {
		err = fmt.Errorf("the answers were %s", &answers)
	}
	return time.Now(), fmt.Sprintf("%d frames sent again, shuffled; answers %s", frames, &answers), err
}
