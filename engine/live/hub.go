package live

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/schema"
)

const (
	// absentFor is how long an absent tag stays on the map, in wall clock.
	absentFor = 10 * time.Minute
	// goneAfterwards is how long a removal is remembered, for watchers that
	// were away and resume; a longer absence costs them a snapshot.
	goneAfterwards = 2 * time.Minute
	// sweepEvery bounds by how much the two above are exceeded.
	sweepEvery = 10 * time.Second
)

// ErrClosed is returned to watchers when the hub was closed.
var ErrClosed = errors.New("the live hub is closed")

// Names tells what things are called. It is asked under the hub's locks and
// must neither block nor call the hub.
type Names interface {
	// TagInfo returns the tag, or false when there is none any more.
	TagInfo(schema.TagID) (schema.Tag, bool)
	// ZoneName returns the zone's name, or false when there is no such zone any more.
	ZoneName(schema.ZoneID) (string, bool)
}

// Config of a hub.
type Config struct {
	Names Names
	// MaxTags bounds the tags and zones held, of all locations together; about
	// 1 KiB each.
	MaxTags int
}

// DefaultConfig returns the configuration of a server; Names is left to set.
func DefaultConfig() Config { return Config{MaxTags: 200_000} }

// Validate reports what is missing or wrong.
func (c Config) Validate() error {
	if c.Names == nil {
		return errors.New("live: Names is not set")
	}
	if c.MaxTags <= 0 {
		return errors.New("live: MaxTags must be positive")
	}
	return nil
}

// Hub is the live state of all locations of a server.
type Hub struct {
	cfg   Config
	epoch string
	// secret makes the ids that nameless watchers know tags by. It is the hub's alone
	// and ends with it, so that what they saw on two days cannot be put together.
	secret []byte

	// mu guards the maps and the rooms' watchers. The engine's side holds it for
	// reading while it changes one room, so that no room is dropped meanwhile.
	mu     sync.RWMutex
	rooms  map[schema.LocationID]*room
	homes  map[schema.TagID]*room // the room that shows the tag
	start  uint64                 // where a new room's numbers begin: above those of every dropped one
	closed bool
	done   chan struct{} // closed with the hub

	held    atomic.Int64 // entries in all rooms, removals included
	dropped atomic.Uint64
}

// Stats is what a hub holds.
type Stats struct {
	Locations int
	Entries   int // tags and zones
	Watchers  int
	Dropped   uint64 // changes refused because of MaxTags
}

// New returns an empty hub. Call Run for its upkeep.
func New(cfg Config) (*Hub, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	var epoch [8]byte
	secret := make([]byte, 32)
	if _, err := rand.Read(epoch[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	if _, err := rand.Read(secret); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return &Hub{
		cfg:   cfg,
		epoch: hex.EncodeToString(epoch[:]), secret: secret,
		rooms: map[schema.LocationID]*room{},
		homes: map[schema.TagID]*room{},
		done:  make(chan struct{}),
	}, nil
}

// Run does the upkeep (absent tags leave, new names are announced) until the
// context ends.
func (h *Hub) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			h.sweep(time.Now())
		}
	}
}

// Close ends all subscriptions with [ErrClosed]. Moves that come
// later are kept as before, though nobody can watch them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// TagMoved takes the tag's new state. It does not block on watchers.
func (h *Hub) TagMoved(m schema.TagMoved) {
	now := time.Now()
	h.mu.RLock()
	r := h.rooms[m.Location]
	if r != nil && h.homes[m.Tag] == r {
		r.move(m, now)
		h.mu.RUnlock()
		return
	}
	h.mu.RUnlock()
	h.settle(m, now)
}

// settle handles a tag that is new or came from another location.
func (h *Hub) settle(m schema.TagMoved, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.homes[m.Tag]
	if m.Location.IsZero() {
		if old != nil {
			old.leave(m.Tag, now)
			delete(h.homes, m.Tag)
		}
		return
	}
	if old == nil && h.full() {
		return
	}
	r := h.room(m.Location)
	if old != nil && old != r {
		old.leave(m.Tag, now)
	}
	h.homes[m.Tag] = r
	if r.move(m, now) {
		h.held.Add(1)
	}
}

// Occupancy takes a zone's new occupancy. It does not block on watchers.
func (h *Hub) Occupancy(o schema.Occupancy) {
	if o.Location.IsZero() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rooms[o.Location]; (r == nil || !r.knowsZone(o.Zone)) && h.full() {
		return
	}
	if h.room(o.Location).occupy(o, time.Now()) {
		h.held.Add(1)
	}
}

func (h *Hub) full() bool {
	if h.held.Load() < int64(h.cfg.MaxTags) {
		return false
	}
	h.dropped.Add(1)
	return true
}

// room returns the location's room, making it if need be; the caller holds mu.
func (h *Hub) room(id schema.LocationID) *room {
	r := h.rooms[id]
	if r == nil {
		r = newRoom(h.cfg.Names, secretOf(h.secret, id), h.start)
		h.rooms[id] = r
	}
	return r
}

// sweep does the rooms one by one, so that the engine waits for one room at most.
func (h *Hub) sweep(now time.Time) {
	h.mu.RLock()
	rooms := make(map[schema.LocationID]*room, len(h.rooms))
	for id, r := range h.rooms {
		rooms[id] = r
	}
	h.mu.RUnlock()
	for id, r := range rooms {
		forgotten, tags := r.sweep(now)
		h.held.Add(-int64(forgotten))
		h.discard(id, r, tags)
	}
}

// discard removes the homes of tags the room has forgotten, and the room itself
// when nothing is left of it.
func (h *Hub) discard(id schema.LocationID, r *room, tags []schema.TagID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tag := range tags {
		if h.homes[tag] == r && !r.knows(tag) {
			delete(h.homes, tag)
		}
	}
	if h.rooms[id] == r && r.watchers == 0 && r.empty() {
		h.start = max(h.start, r.seq)
		delete(h.rooms, id)
	}
}

// Stats returns what the hub holds now.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := Stats{Locations: len(h.rooms), Entries: int(h.held.Load()), Dropped: h.dropped.Load()}
	for _, r := range h.rooms {
		s.Watchers += r.watchers
	}
	return s
}
