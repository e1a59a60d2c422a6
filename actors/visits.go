package actors

import (
	"sync"

	"mybeacon/schema"
)

// visitBook knows which visits are open, as the output was told. It changes a
// few times per tag and hour, so one lock serves all.
type visitBook struct {
	mu   sync.Mutex // guards open
	open map[schema.VisitID]schema.Visit
}

func (b *visitBook) note(v schema.Visit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.LeftAt.IsZero() {
		b.open[v.ID] = v
	} else {
		delete(b.open, v.ID)
		if len(b.open) == 0 { // a map never shrinks
			b.open = make(map[schema.VisitID]schema.Visit)
		}
	}
}

func (b *visitBook) list() []schema.Visit {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]schema.Visit, 0, len(b.open))
	for _, v := range b.open {
		out = append(out, v)
	}
	return out
}

func (b *visitBook) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}
