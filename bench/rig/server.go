package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mybeacon/bench/load"
	"mybeacon/engine/embedded"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
)

// AdminEmail and AdminPassword are the login with all rights on every [Server].
const (
	AdminEmail    = "bench@mybeacon.local"
	AdminPassword = "bench, on loopback only"
)

const (
	// startPatience bounds a start, stopPatience an orderly end.
	startPatience = 2 * time.Minute
	stopPatience  = time.Minute
	askReady      = 10 * time.Millisecond
)

// Program is a server to start.
type Program struct {
	// File is the program mybeacon, or one that takes the same arguments; Runtime is
	// where the embedded stores' binaries are, if not in a usual place.
	File, Runtime string
}

// Validate reports that there is no such program.
func (p Program) Validate() error {
	if info, err := os.Stat(p.File); err != nil || !info.Mode().IsRegular() {
		return schema.Errorf(schema.Invalid, "server", "%s is not there: build it, or name another program", p.File)
	}
	return nil
}

// Server is the program in a process of its own, on a directory that outlives it.
// Start, Kill, Stop and Release belong to one goroutine, the rest is safe for
// concurrent use.
type Server struct {
	program Program
	dir     string
	address string
	process *exec.Cmd
	pid     atomic.Int64
	output  *tail
	ended   chan error
}

// NewServer prepares a server that does not run yet. Release removes its directory.
func NewServer(program Program) (*Server, error) {
	address, err := load.FreeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mybeacon-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the server: %w", err)
	}
	return &Server{program: program, dir: dir, address: address, output: &tail{}}, nil
}

// URL returns where the server answers.
func (s *Server) URL() string { return "http://" + s.address }

// PID returns the process that runs, or ran last.
func (s *Server) PID() int { return int(s.pid.Load()) }

// Start runs the program and returns when it is ready.
func (s *Server) Start(ctx context.Context) error {
	args := []string{"serve", "--data", s.dir, "--http", s.address, "--ops", "off", "--admin-email", AdminEmail}
	if s.program.Runtime != "" {
		args = append(args, "--runtime", s.program.Runtime)
	}
	s.process = exec.Command(s.program.File, args...)
	s.process.Env = append(os.Environ(), "MYBEACON_ADMIN_PASSWORD="+AdminPassword)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	s.process.WaitDelay = time.Second // the stores, which die with it, may hold the pipe a moment longer
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.pid.Store(int64(s.process.Process.Pid))
	process, ended := s.process, make(chan error, 1)
	s.ended = ended
	go func() { ended <- process.Wait() }()
	return s.await(ctx)
}

// await waits until the server says that it is.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(askReady)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("the server ended while it started: %w\n%s", err, s.output.text())
		case <-ctx.Done():
			return fmt.Errorf("the server did not become ready: %w\n%s", ctx.Err(), s.output.text())
		}
		if s.Ready(ctx) {
			return nil
		}
	}
}

// Ready reports whether the server says now that it is.
func (s *Server) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the program without a word, and waits until it is gone.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	err := s.process.Process.Kill()
	_ = <-s.ended // it was killed: how it ended says nothing
	s.process = nil
	if errors.Is(err, os.ErrProcessDone) {
		return nil // it ended by itself, which whoever waited for it has told
	}
	return err
}

// Stop ends the program in order, if it runs.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	switch err := s.process.Process.Signal(syscall.SIGTERM); {
	case errors.Is(err, os.ErrProcessDone):
		return s.Kill()
	case err != nil:
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case err := <-s.ended:
		s.process = nil
		if err != nil {
			return fmt.Errorf("stop the server: %w\n%s", err, s.output.text())
		}
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("the server did not stop within %v\n%s", stopPatience, s.output.text()), s.Kill())
	}
}

// Release stops the program and removes its directory. Killed, it would leave
// what it keeps outside of it, which only the next start on it sweeps up. The
// stores of one that had to be killed write a moment longer.
func (s *Server) Release() error {
	err := s.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; {
		removed := os.RemoveAll(s.dir)
		if removed == nil || time.Now().After(deadline) {
			return errors.Join(err, removed)
		}
		<-tick.C
	}
}

// Ask puts a question to the running server's warehouse and gives the answer's
// lines, as TabSeparated, to line as they come.
func (s *Server) Ask(ctx context.Context, sql string, line func([]byte) error) error {
	endpoint, err := embedded.ReadEndpoint(s.dir)
	if err != nil {
		return err
	}
	w := &lineWriter{line: line}
	if err := clickhouse.Query(ctx, endpoint.URL, sql, "TabSeparated", w); err != nil {
		return fmt.Errorf("ask the warehouse: %w", err)
	}
	if len(w.rest) > 0 {
		return errors.New("ask the warehouse: the answer's last line is cut")
	}
	return nil
}

// lineWriter cuts what is written into lines.
type lineWriter struct {
	line func([]byte) error
	rest []byte
}

// Write implements [io.Writer].
func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	done := 0
	for {
		n := bytes.IndexByte(w.rest[done:], '\n')
		if n < 0 {
			break
		}
		if err := w.line(w.rest[done : done+n]); err != nil {
			return 0, err
		}
		done += n + 1
	}
	w.rest = append(w.rest[:0], w.rest[done:]...)
	return len(b), nil
}

// tail keeps the last words of the program.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailBytes = 4 << 10

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, b...)
	if spare := len(t.last) - tailBytes; spare > 0 {
		t.last = append(t.last[:0], t.last[spare:]...)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
