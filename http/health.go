package http

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds a probe: who asks for readiness wants an answer soon.
const checkTimeout = 2 * time.Second

// Check is one thing that /readyz looks at. A failed one that is not Critical
// leaves the server ready but "degraded": the warehouse may be away while
// frames are spooled.
type Check struct {
	Name     string
	Critical bool
	Probe    func(context.Context) error
}

// Readiness is the answer of /readyz. It names what failed but not why: the
// address is public; the reason is in the log.
type Readiness struct {
	Status string            `json:"status"` // "ready", "degraded", "unavailable" or "stopping"
	Checks map[string]string `json:"checks"` // by name: "ok" or "failed"
}

// livez says that the process answers.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz says whether to send work here: 200 when ready or degraded, else 503.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	answer := s.readiness(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if answer.Status == "unavailable" || answer.Status == "stopping" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // the peer has gone: nobody is left to tell
}

func (s *Server) readiness(ctx context.Context) Readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(s.cfg.Checks))
	var probes sync.WaitGroup
	for i, check := range s.cfg.Checks {
		probes.Go(func() { errs[i] = check.Probe(ctx) })
	}
	probes.Wait()
	answer := Readiness{Status: "ready", Checks: map[string]string{}}
	for i, check := range s.cfg.Checks {
		answer.Checks[check.Name] = "ok"
		if errs[i] == nil {
			continue
		}
		s.log.WarnContext(ctx, "readiness check failed", "check", check.Name, "error", errs[i])
		answer.Checks[check.Name] = "failed"
		if check.Critical {
			answer.Status = "unavailable"
		} else if answer.Status == "ready" {
			answer.Status = "degraded"
		}
	}
	if s.stopping.Load() {
		answer.Status = "stopping"
	}
	return answer
}
