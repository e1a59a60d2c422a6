package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// endOrphans ends what an earlier server, killed before it could stop its
// children, left running with dir as working directory. mine tells from the
// arguments whether a process is such a child. Both stores make their data
// directory their working directory, so this finds every process of theirs,
// whatever became of pid files.
func endOrphans(ctx context.Context, dir string, sig syscall.Signal, mine func(args []string) bool) (int, error) {
	found := orphans(dir, mine)
	for _, pid := range found {
		_ = syscall.Kill(pid, sig)
		_ = syscall.Kill(pid, syscall.SIGCONT) // a stopped process takes no other signal
	}
	if len(found) == 0 || gone(ctx, dir, mine, 10*time.Second) {
		return len(found), ctx.Err()
	}
	for _, pid := range orphans(dir, mine) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if !gone(ctx, dir, mine, 10*time.Second) {
		return len(found), fmt.Errorf("processes %v still use %s and cannot be ended: end them, then start again", orphans(dir, mine), dir)
	}
	return len(found), nil
}

// gone waits until there is no such process any more. Only /proc tells when a
// process that is not our child has ended, so it is asked in steps.
func gone(ctx context.Context, dir string, mine func([]string) bool, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(orphans(dir, mine)) > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// orphans returns the processes whose working directory is dir.
func orphans(dir string, mine func(args []string) bool) []int {
	want, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil
	}
	entries, _ := os.ReadDir("/proc")
	var list []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if err != nil || cwd != want {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil || !mine(args(cmdline)) {
			continue
		}
		list = append(list, pid)
	}
	return list
}

func args(cmdline []byte) []string {
	var list []string
	for arg := range bytes.SplitSeq(bytes.TrimRight(cmdline, "\x00"), []byte{0}) {
		list = append(list, string(arg))
	}
	return list
}

// runInit runs a short-lived program and returns what it wrote. It is killed when ctx ends.
func runInit(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	ended := make(chan error, 1)
	go func() {
		// See supervise: the thread that forks must outlive the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			ended <- err
			return
		}
		stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
		defer stop()
		ended <- cmd.Wait()
	}()
	err := <-ended
	return out.Bytes(), errors.Join(err, ctx.Err())
}
