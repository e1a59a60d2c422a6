package actors

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/mailbox"
)

const (
	// failureWindow is for how long a failure counts against an actor.
	failureWindow = time.Minute
	// freeRestarts is how many failures in the window are restarted from at once:
	// a bad message or two, not a broken state.
	freeRestarts = 3
	// firstBackoff is the pause before the next restart; each further failure in
	// the window doubles it, up to maxBackoff.
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 10 * time.Second
	// maxFailures bounds the failures remembered of one actor. With the back-off
	// no window holds so many.
	maxFailures = 64
)

// supervisor restarts the one actor that failed, for ever, with growing pauses:
// an actor that is given up would leave a tag or a device dead until the engine
// restarts. While it pauses its mailbox keeps the newest messages.
//
// protoactor calls HandleFailure on the worker of the failed actor, so several
// calls may run at once.
type supervisor struct {
	kind string
	log  *slog.Logger

	mu      sync.Mutex // guards all below
	pausing map[string]*time.Timer
	stopped bool
}

func newSupervisor(kind string, log *slog.Logger) *supervisor {
	return &supervisor{kind: kind, log: log, pausing: make(map[string]*time.Timer)}
}

// HandleFailure implements actor.SupervisorStrategy.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, guardian actor.Supervisor, child *actor.PID, rs *actor.RestartStatistics, reason, message any) {
	if rs.FailureCount() >= maxFailures {
		rs.Reset()
	}
	rs.Fail()
	pause := backoff(rs.NumberOfFailures(failureWindow))
	attrs := []any{"kind", s.kind, "actor", child.Id, "message", fmt.Sprintf("%T", message), "reason", reason, "restart_in", pause}
	if p, ok := reason.(*mailbox.Panic); ok {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	s.log.Error("an actor failed; it is restarted without the message", attrs...)
	if pause == 0 {
		guardian.RestartChildren(child)
		return
	}
	s.restartLater(guardian, child, pause)
}

func backoff(failures int) time.Duration {
	if failures <= freeRestarts {
		return 0
	}
	// Beyond ten doublings the pause is at its maximum anyway, and a shift too far
	// would overflow.
	return min(firstBackoff<<min(failures-freeRestarts-1, 10), maxBackoff)
}

func (s *supervisor) restartLater(guardian actor.Supervisor, child *actor.PID, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.pausing[child.Id] = time.AfterFunc(pause, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pausing, child.Id)
		if !s.stopped {
			guardian.RestartChildren(child)
		}
	})
}

// stop cancels the restarts to come.
func (s *supervisor) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, t := range s.pausing {
		t.Stop()
	}
	clear(s.pausing)
}
