// Package chdb binds the ClickHouse engine library, libchdb.so, without cgo.
//
// One process holds one engine on one directory: [Open] loads the library once,
// and every [Library.Connect] of the process must name the same path. The
// engine lives as long as at least one connection is open, so a host keeps one
// for its whole life.
//
// Concurrency: different connections run truly in parallel. One [Conn] runs one
// statement at a time and must not be shared by goroutines; every call blocks
// its operating-system thread until the engine answers. A running statement is
// stopped from another connection, by KILL QUERY … ASYNC (SYNC never returns).
//
// The library changes signal handling and may abort the process: load it only
// in a process of its own (see engine/embedded/chhost), never in the server.
package chdb

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// runFunc is how the library takes a statement: text, format, and parallel arrays
// of parameter names and values, each with its lengths.
type runFunc func(conn uintptr, q unsafe.Pointer, qLen uintptr, f unsafe.Pointer, fLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) uintptr

// api holds the library's functions, with Go types as close to the C ones as
// the binding allows. Handles are kept as pointers the Go runtime never follows.
type api struct {
	version        func() string
	signalHandlers func(enabled int32)
	connect        func(argc int32, argv unsafe.Pointer) uintptr
	close          func(conn uintptr)
	query          runFunc
	stream         runFunc
	fetch          func(conn, result uintptr) uintptr
	cancel         func(conn, result uintptr)
	destroy        func(result uintptr)
	buffer         func(result uintptr) unsafe.Pointer
	length         func(result uintptr) uintptr
	rowsRead       func(result uintptr) uint64
	rowsWritten    func(result uintptr) uint64
	bytesWritten   func(result uintptr) uint64
	errorText      func(result uintptr) string
	classify       func(conn uintptr, q unsafe.Pointer, qLen uintptr, db unsafe.Pointer, dbLen uintptr, out unsafe.Pointer) int32
}

// Library is the loaded engine library.
type Library struct{ api api }

// Open loads libchdb.so from path and keeps it from installing signal handlers.
// A missing file, a foreign platform or a library without the needed functions
// is an error.
func Open(path string) (lib *Library, err error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load the ClickHouse engine %s: %w", path, err)
	}
	defer func() {
		// RegisterLibFunc panics on a missing symbol: an older library.
		if p := recover(); p != nil {
			lib, err = nil, fmt.Errorf("load the ClickHouse engine %s: %v", path, p)
		}
	}()
	lib = &Library{}
	for name, fn := range lib.api.symbols() {
		purego.RegisterLibFunc(fn, handle, name)
	}
	lib.api.signalHandlers(0)
	return lib, nil
}

func (a *api) symbols() map[string]any {
	return map[string]any{
		"chdb_version":                     &a.version,
		"chdb_set_signal_handlers_enabled": &a.signalHandlers,
		"chdb_connect":                     &a.connect,
		"chdb_close_conn":                  &a.close,
		"chdb_query_with_params_n":         &a.query,
		"chdb_stream_query_with_params_n":  &a.stream,
		"chdb_stream_fetch_result":         &a.fetch,
		"chdb_stream_cancel_query":         &a.cancel,
		"chdb_destroy_query_result":        &a.destroy,
		"chdb_result_buffer":               &a.buffer,
		"chdb_result_length":               &a.length,
		"chdb_result_rows_read":            &a.rowsRead,
		"chdb_result_rows_written":         &a.rowsWritten,
		"chdb_result_bytes_written":        &a.bytesWritten,
		"chdb_result_error":                &a.errorText,
		"chdb_classify_query_n":            &a.classify,
	}
}

// Version returns the library's version, such as "26.7.3".
func (l *Library) Version() string { return l.api.version() }

// Conn is one session of the engine. It is not safe for concurrent use.
type Conn struct {
	api *api
	// handle is chdb_connection*; the functions take what it points to.
	handle uintptr
}

// Connect opens a session. args are "--name=value": the first connection's
// server options (--path, --config-file) start the engine, the options that
// name query settings apply to this session only. The engine answers a failed
// connect with nothing but NULL; its reason is on standard error.
func (l *Library) Connect(args ...string) (*Conn, error) {
	argv := cStrings(append([]string{"clickhouse"}, args...))
	defer argv.unpin()
	handle := l.api.connect(int32(len(args)+1), argv.pointers())
	if handle == 0 {
		return nil, fmt.Errorf("the ClickHouse engine refused the connection (a wrong setting, a locked or unreadable directory; its own message is on standard error)")
	}
	return &Conn{api: &l.api, handle: handle}, nil
}

// Close ends the session, waiting for its running statement. Closing the last
// session of the process shuts the engine down.
func (c *Conn) Close() {
	if c.handle != 0 {
		c.api.close(c.handle)
		c.handle = 0
	}
}

func (c *Conn) raw() uintptr {
	if c.handle == 0 {
		panic("BUG: use of a closed ClickHouse session")
	}
	// The handle is memory of the library, never of Go.
	return **(**uintptr)(unsafe.Pointer(&c.handle))
}

// pinned is an array of C strings with their lengths, in memory that stays put.
type pinned struct {
	pin  runtime.Pinner
	ptrs []*byte
	lens []uintptr
}

func cStrings(list []string) *pinned {
	p := &pinned{}
	for _, s := range list {
		b := append([]byte(s), 0)
		p.pin.Pin(&b[0])
		p.ptrs = append(p.ptrs, &b[0])
		p.lens = append(p.lens, uintptr(len(s)))
	}
	// argv ends with NULL; for parameter arrays the extra entry is never read.
	p.ptrs = append(p.ptrs, nil)
	p.pin.Pin(&p.ptrs[0])
	if len(p.lens) > 0 {
		p.pin.Pin(&p.lens[0])
	}
	return p
}

func (p *pinned) pointers() unsafe.Pointer { return unsafe.Pointer(&p.ptrs[0]) }

func (p *pinned) lengths() unsafe.Pointer {
	if len(p.lens) == 0 {
		return nil
	}
	return unsafe.Pointer(&p.lens[0])
}

func (p *pinned) unpin() { p.pin.Unpin() }
