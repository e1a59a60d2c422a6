package embedded

import (
	"bytes"
	"strings"
	"sync"
)

// lines passes a child's output on line by line and keeps the last ones, which
// explain why a child did not start. It is safe for concurrent use.
type lines struct {
	emit func(line string)

	mu   sync.Mutex // guards all below
	part []byte
	last []string
}

// Bounds on what a child may make us remember.
const (
	longestLine = 4 << 10
	keptLines   = 12
)

// Write implements io.Writer and never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		l.line(append(l.part, p[:i]...))
		l.part, p = l.part[:0], p[i+1:]
	}
	l.part = append(l.part, p...)
	if len(l.part) > longestLine {
		l.line(l.part)
		l.part = l.part[:0]
	}
	return n, nil
}

func (l *lines) line(b []byte) {
	s := strings.TrimRight(string(b[:min(len(b), longestLine)]), "\r ")
	if s == "" {
		return
	}
	if len(l.last) == keptLines {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, s)
	l.emit(s)
}

// tail returns the last lines.
func (l *lines) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}
