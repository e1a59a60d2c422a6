package chhost

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/engine/embedded/chdb"
)

// engine is the running library: a session that keeps it alive and kills
// statements, and a fresh session for every request.
type engine struct {
	lib   *chdb.Library
	args  []string // that name the path; every session of the process must
	given Given

	mu     sync.Mutex // guards anchor, which runs one statement at a time
	anchor *chdb.Conn

	// Unguessable: a caller can neither name another's statement nor, where he could
	// set his log_comment, see another's rows.
	tagPrefix     string
	analystPrefix string // of analysts' statements; the organisation follows
	tagSerial     atomic.Uint64
	version       string
}

// openEngine starts the engine. Where it refuses, it is asked once more with its
// own log on standard error, for the first time it says nothing.
func openEngine(lib *chdb.Library, l layout, cfg Config) (*engine, error) {
	e := &engine{lib: lib, given: cfg.Analysts, tagPrefix: "mb-" + randomHex(12) + "-", analystPrefix: "analyst-" + randomHex(12) + "-"}
	if err := l.prepare(cfg, e.rowFilter(), false); err != nil {
		return nil, err
	}
	args := []string{"--path=" + l.engine(), "--config-file=" + l.config()}
	anchor, err := lib.Connect(args...)
	if err != nil {
		if perr := l.prepare(cfg, e.rowFilter(), true); perr != nil {
			return nil, perr
		}
		if anchor, err = lib.Connect(args...); err != nil {
			return nil, fmt.Errorf("open the warehouse in %s: %w", l.engine(), err)
		}
	}
	e.args, e.anchor = args[:1], anchor
	version, err := e.control("SELECT version()")
	if err != nil {
		return nil, err
	}
	e.version = version
	if _, err := e.control("CREATE DATABASE IF NOT EXISTS mybeacon"); err != nil {
		return nil, err
	}
	return e, nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// control runs a statement of the host itself and returns its answer as TabSeparatedRaw.
func (e *engine) control(sql string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	res, err := e.anchor.Query(chdb.Statement{SQL: sql, Format: "TabSeparatedRaw"})
	if err != nil {
		return "", err
	}
	defer res.Destroy()
	answer := string(res.Bytes())
	if n := len(answer); n > 0 && answer[n-1] == '\n' {
		answer = answer[:n-1]
	}
	return answer, nil
}

// kill stops the statement with the tag. ASYNC, because SYNC never returns.
func (e *engine) kill(tag string) {
	_, _ = e.control("KILL QUERY WHERE Settings['log_comment'] = " + quote(tag) + " ASYNC")
}

// killAll stops every statement of callers.
func (e *engine) killAll() {
	_, _ = e.control("KILL QUERY WHERE startsWith(Settings['log_comment'], " + quote(e.tagPrefix) +
		") OR startsWith(Settings['log_comment'], " + quote(e.analystPrefix) + ") ASYNC")
}

func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.anchor.Close()
}

// session is an engine session of one request.
type session struct {
	conn *chdb.Conn
	stop func() bool
}

// tag is the log_comment of the request's session.
func (e *engine) tag(req *request) string {
	serial := strconv.FormatUint(e.tagSerial.Add(1), 10)
	if req.who == analyst {
		return e.analystPrefix + req.organisation + "-" + serial
	}
	return e.tagPrefix + serial
}

// open gives the request a session with its settings and database. When ctx
// ends the session's statement is killed.
func (e *engine) open(ctx context.Context, req *request, limits Limits) (*session, error) {
	tag := e.tag(req)
	conn, err := e.lib.Connect(append([]string{"--log_comment=" + tag}, e.args...)...)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, stop: func() bool { return true }}
	for _, sql := range preamble(req, limits) {
		res, err := conn.Query(chdb.Statement{SQL: sql})
		if err != nil {
			s.close()
			return nil, err
		}
		res.Destroy()
	}
	s.stop = context.AfterFunc(ctx, func() { e.kill(tag) })
	return s, nil
}

// close ends the session. It waits for a running statement.
func (s *session) close() {
	s.stop()
	s.conn.Close()
}

// preamble returns what a session is told before the caller's statement.
func preamble(req *request, limits Limits) []string {
	settings := maps.Clone(req.settings)
	switch req.who {
	case reader:
		settings["max_execution_time"] = capped(settings["max_execution_time"], limits.ReaderExecution)
	case analyst:
		settings["max_execution_time"] = capped(settings["max_execution_time"], limits.AnalystExecution)
		settings["max_memory_usage"] = strconv.FormatInt(limits.AnalystMemory, 10)
		settings["max_threads"] = "2"
	}
	if _, own := settings["max_result_bytes"]; !own && !req.streams() {
		settings["max_result_bytes"] = strconv.FormatInt(limits.ResultBytes, 10)
		settings["result_overflow_mode"] = "throw"
	}
	var list []string
	if sql := setStatement(settings); sql != "" {
		list = append(list, sql)
	}
	if req.who != server {
		list = append(list, "SET readonly = 1") // last: nothing can be set after it
	}
	if req.database != "" {
		list = append(list, "USE "+quoteName(req.database))
	}
	return list
}

// capped returns the caller's number of seconds if it is one between 1 and most, otherwise most.
func capped(value string, most time.Duration) string {
	n, err := strconv.Atoi(value)
	if limit := int(most / time.Second); err != nil || n <= 0 || n > limit {
		return strconv.Itoa(limit)
	}
	return value
}
