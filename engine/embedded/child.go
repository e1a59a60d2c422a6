package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Pauses before a child that ended is started again: short at first, since most
// ends are a one-off; growing, since the rest are not.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 10 * time.Second
	// steady is how long a child must have run for the pauses to begin anew.
	steady = 30 * time.Second
)

// childSpec is what differs between the stores.
type childSpec struct {
	name     string
	log      *slog.Logger
	command  func() *exec.Cmd                // a fresh command for each start
	before   func(ctx context.Context) error // clears what an earlier life left
	ready    func(ctx context.Context) error // nil as soon as the child serves
	line     func(line string)               // takes the child's output
	stop     syscall.Signal                  // asks for a clean end
	grace    time.Duration                   // until it is killed
	patience time.Duration                   // for becoming ready
}

// child keeps one process running until it is stopped.
type child struct {
	spec   childSpec
	stop   context.CancelFunc
	done   chan struct{} // closed when the process is gone for good
	pid    atomic.Int64  // of the latest start
	output *lines
}

// startChild starts the process and returns once it serves. A first start that
// fails is not repeated: its error carries the child's last words.
func startChild(ctx context.Context, spec childSpec) (*child, error) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &child{spec: spec, stop: stop, done: make(chan struct{}), output: &lines{emit: spec.line}}
	first := make(chan error, 1)
	go c.supervise(life, first)
	select {
	case err := <-first:
		if err != nil {
			<-c.done
			stop()
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		stop()
		<-c.done
		return nil, fmt.Errorf("start %s: %w", spec.name, ctx.Err())
	}
}

// supervise runs the child again and again. first gets the outcome of the first start.
func (c *child) supervise(ctx context.Context, first chan<- error) {
	// "Die with the parent" is bound to the thread that forked: it must not end
	// before the child does, so this goroutine keeps it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	pause, served := firstPause, false
	for {
		began := time.Now()
		err := c.life(ctx, func() {
			if !served {
				served = true
				first <- nil
			}
		})
		if !served {
			first <- err
			return
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			pause = firstPause
		}
		c.spec.log.Warn("store ended, starting it again", "store", c.spec.name, "err", err, "pause", pause)
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, mostPause)
	}
}

// life is one run of the process, from its start to its end; serves is called when it does.
func (c *child) life(ctx context.Context, serves func()) error {
	if err := c.spec.before(ctx); err != nil {
		return fmt.Errorf("start %s: %w", c.spec.name, err)
	}
	cmd := c.spec.command()
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = 2 * time.Second // a grandchild may hold the pipe open
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.spec.name, err)
	}
	c.pid.Store(int64(cmd.Process.Pid))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	readiness, cancel := context.WithTimeout(ctx, c.spec.patience)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- c.spec.ready(readiness) }()
	select {
	case err := <-ended:
		cancel()
		_ = <-ready // it gives up because the child ended
		return fmt.Errorf("%s ended while starting: %w\n%s", c.spec.name, orExit0(err), c.output.tail())
	case err := <-ready:
		if err != nil {
			_ = c.end(cmd, ended) // why it is ended says more
			return fmt.Errorf("%s did not become ready: %w\n%s", c.spec.name, err, c.output.tail())
		}
	}
	c.spec.log.Info("store is running", "store", c.spec.name, "pid", cmd.Process.Pid)
	serves()
	select {
	case err := <-ended:
		return orExit0(err)
	case <-ctx.Done():
		return c.end(cmd, ended)
	}
}

func orExit0(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// end stops the process cleanly, or kills it after the grace time.
func (c *child) end(cmd *exec.Cmd, ended <-chan error) error {
	_ = cmd.Process.Signal(c.spec.stop)
	timer := time.NewTimer(c.spec.grace)
	defer timer.Stop()
	select {
	case _ = <-ended: // however it ended, it was told to
		return nil
	case <-timer.C:
	}
	c.spec.log.Warn("store did not stop in time and is killed", "store", c.spec.name, "after", c.spec.grace)
	_ = cmd.Process.Kill()
	return <-ended
}

// close stops the process and waits for its end, at most until ctx ends.
func (c *child) close(ctx context.Context) error {
	c.stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", c.spec.name, ctx.Err())
	}
}

// sleep waits; false means ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retry calls try every 20 ms until it succeeds; the error is the last one.
func retry(ctx context.Context, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return errors.Join(ctx.Err(), err)
		}
	}
}
