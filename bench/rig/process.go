package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"mybeacon/engine/embedded/chhost"
)

// The stores that a server runs as processes of its own.
const (
	Warehouse = "warehouse"
	Database  = "database"
)

// Signal sends a signal to all processes of one of the running server's stores. The
// error is errors.ErrUnsupported where the system does not tell which these are.
func (s *Server) Signal(store string, signal syscall.Signal) error {
	pids, err := s.processes(store)
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return fmt.Errorf("the server has no process of the %s", store)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("send %v to the %s: %w", signal, store, err)
		}
	}
	return nil
}

// processes returns the descendants of the server that belong to the store.
func (s *Server) processes(store string) ([]int, error) {
	children, err := processTree()
	if err != nil {
		return nil, err
	}
	var out []int
	for todo := slices.Clone(children[s.PID()]); len(todo) > 0; todo = todo[1:] {
		pid := todo[0]
		todo = append(todo, children[pid]...)
		line, err := os.ReadFile(procFile(pid, "cmdline"))
		if err != nil {
			continue // it has ended meanwhile
		}
		words := strings.FieldsFunc(string(bytes.TrimRight(line, "\x00")), func(r rune) bool { return r == 0 || r == ' ' })
		if len(words) > 0 && belongs(words, store) {
			out = append(out, pid)
		}
	}
	return out, nil
}

func belongs(words []string, store string) bool {
	if store == Warehouse {
		return slices.Contains(words, chhost.Command)
	}
	return strings.TrimSuffix(filepath.Base(words[0]), ":") == "postgres"
}

// processTree returns the children of every process.
func processTree() (map[int][]int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(all) == 0 {
		return nil, errors.ErrUnsupported
	}
	children := map[int][]int{}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// The second field, the program's name in parentheses, may hold anything.
		_, rest, found := bytes.Cut(text[max(0, bytes.LastIndexByte(text, ')')):], []byte(" "))
		fields := strings.Fields(string(rest))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || !found || len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children, nil
}

// RSSKiB returns the resident set of the server's process, without its stores; false
// when it does not run or the system does not tell.
func (s *Server) RSSKiB() (int, bool) {
	text, err := os.ReadFile(procFile(s.PID(), "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kib, err == nil
		}
	}
	return 0, false
}

func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
