package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	lookEvery   = 5 * time.Second
	lookTimeout = 3 * time.Second
)

// The states of a part. Degraded does its work with something missing.
const (
	stateOK       = "ok"
	stateDegraded = "degraded"
	stateFailed   = "failed"
)

// part is one thing that the board looks at. look returns what is wrong, and
// figures that say how it is doing.
type part struct {
	name string
	// critical parts fail the whole; others degrade it.
	critical bool
	look     func(context.Context) (figures map[string]float64, err error)
}

// sight is what was seen of a part.
type sight struct {
	Name    string             `json:"name"`
	State   string             `json:"state"`
	Since   time.Time          `json:"since"`              // it has been in this state
	ForS    float64            `json:"for_seconds"`        // how long
	AgeS    float64            `json:"looked_seconds_ago"` // how old this is
	Detail  string             `json:"detail,omitempty"`   // what is wrong
	Figures map[string]float64 `json:"figures,omitempty"`  // by name, with their units
	looked  time.Time
}

// board looks at all parts every few seconds and remembers since when each has
// been as it is. It is safe for concurrent use.
type board struct {
	version string
	began   time.Time
	parts   []part

	mu   sync.Mutex
	seen map[string]sight
}

func newBoard(version string, parts []part) *board {
	return &board{version: version, began: time.Now(), parts: parts, seen: map[string]sight{}}
}

// Run looks until the context ends.
func (b *board) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		b.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *board) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range b.parts {
		all.Go(func() {
			figures, err := p.look(ctx)
			b.note(p, figures, err)
		})
	}
	all.Wait()
}

func (b *board) note(p part, figures map[string]float64, err error) {
	now := time.Now()
	s := sight{Name: p.name, State: stateOK, Since: now, Figures: figures, looked: now}
	if err != nil {
		s.State, s.Detail = stateDegraded, err.Error()
		if p.critical {
			s.State = stateFailed
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if before, known := b.seen[p.name]; known && before.State == s.State {
		s.Since = before.Since
	}
	b.seen[p.name] = s
}

// healthReport is the answer of /healthz?verbose.
type healthReport struct {
	Status  string  `json:"status"`
	Version string  `json:"version"`
	UpS     float64 `json:"up_seconds"`
	Parts   []sight `json:"parts"`
}

// report returns what was seen last, in the order of the parts.
func (b *board) report() healthReport {
	now := time.Now()
	r := healthReport{Status: stateOK, Version: b.version, UpS: now.Sub(b.began).Seconds(), Parts: []sight{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.parts {
		s, known := b.seen[p.name]
		if !known {
			continue // not looked at yet
		}
		s.ForS, s.AgeS = now.Sub(s.Since).Seconds(), now.Sub(s.looked).Seconds()
		r.Parts = append(r.Parts, s)
		if s.State == stateFailed || s.State == stateDegraded && r.Status == stateOK {
			r.Status = s.State
		}
	}
	return r
}

// ServeHTTP answers /healthz: one word, or with ?verbose all parts. The status is
// 503 when a critical part has failed.
func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report := b.report()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	verbose := r.URL.Query().Has("verbose")
	if verbose {
		w.Header().Set("Content-Type", "application/json")
	}
	if report.Status == stateFailed {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if !verbose {
		_, _ = fmt.Fprintln(w, report.Status)
		return
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(report) // the peer has gone: nobody is left to tell
}

// parts are what the board looks at. Its address is for whoever runs the server:
// here the reasons may be told.
func (n *Node) parts() []part {
	probe := func(ping func(context.Context) error) func(context.Context) (map[string]float64, error) {
		return func(ctx context.Context) (map[string]float64, error) { return nil, ping(ctx) }
	}
	list := []part{}
	for _, check := range n.checks() {
		list = append(list, part{name: check.Name, critical: check.Critical, look: probe(check.Probe)})
	}
	figures := func(read func() map[string]float64) func(context.Context) (map[string]float64, error) {
		return func(context.Context) (map[string]float64, error) { return read(), nil }
	}
	return append(list,
		part{name: "directory", look: n.lookAtDirectory},
		part{name: "ingest", look: n.lookAtIngest},
		part{name: "columns", look: n.lookAtColumns},
		part{name: "actors", look: figures(n.actorFigures)},
		part{name: "live", look: figures(n.liveFigures)},
		part{name: "mail", look: n.mails.Look},
		part{name: "jobs", look: n.jobs.Figures},
	)
}

// staleDirectory is how old the directory's knowledge may be: it reads anew every
// 30 s, and a devices' change announces itself.
const staleDirectory = 2 * time.Minute

func (n *Node) lookAtDirectory(context.Context) (map[string]float64, error) {
	age := time.Since(n.directory.ReadAt())
	figures := map[string]float64{"read_seconds_ago": age.Seconds()}
	if age > staleDirectory {
		return figures, fmt.Errorf("devices were last read %s ago", age.Round(time.Second))
	}
	return figures, nil
}

func (n *Node) lookAtIngest(context.Context) (map[string]float64, error) {
	s := n.ingest.Stats()
	figures := map[string]float64{
		"devices": float64(s.Devices), "sockets": float64(n.doors.Sockets()),
		"organisations": float64(s.Organisations), "in_flight_observations": float64(s.InFlight),
	}
	if !s.LastFrame.IsZero() {
		figures["last_frame_seconds_ago"] = time.Since(s.LastFrame).Seconds()
	}
	if s.Shed == nil {
		return figures, nil
	}
	figures["shedding_seconds"] = time.Since(s.ShedSince).Seconds()
	return figures, fmt.Errorf("storage takes nothing: frames go to the live maps only, and scanners keep them: %w", s.Shed)
}

func (n *Node) lookAtColumns(context.Context) (map[string]float64, error) {
	figures := map[string]float64{
		"observations_pending": float64(n.observations.Pending()), "fixes_pending": float64(n.output.fixes.Pending()),
		"visits_pending": float64(n.output.visits.Pending()), "derived_rows_lost": float64(n.output.lost.Load()),
		"quarantine_rows_lost": float64(n.quarantine.lost.Load()),
	}
	if n.output.lost.Load() > 0 {
		return figures, errors.New("derived rows were lost since the start; they can be derived again")
	}
	return figures, nil
}

func (n *Node) actorFigures() map[string]float64 {
	figures := map[string]float64{}
	for kind, read := range n.actorKinds() {
		s := read()
		figures[kind+"_actors"], figures[kind+"_queued"], figures[kind+"_restarts"] = float64(s.Actors), float64(s.Queued), float64(s.Restarts)
	}
	return figures
}

func (n *Node) liveFigures() map[string]float64 {
	hub, maps := n.hub.Stats(), n.maps.Stats()
	return map[string]float64{
		"sockets": float64(maps.Open), "watchers": float64(hub.Watchers), "locations": float64(hub.Locations),
		"entries": float64(hub.Entries), "dropped": float64(hub.Dropped), "cut_slow": float64(maps.CutSlow),
	}
}
