package chdb

import (
	"regexp"
	"runtime"
	"strconv"
	"unsafe"
)

// Statement is one SQL text with what it needs to run.
type Statement struct {
	SQL    string
	Format string // output format where the text names none; empty means Native
	// Params are the values of {name:Type} placeholders, in ClickHouse's text
	// form. They are never spliced into the SQL.
	Params map[string]string
}

// Error is the engine's own error. Code is ClickHouse's (60 = unknown table),
// 0 when the text carries none.
type Error struct {
	Code    int
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

var errorCode = regexp.MustCompile(`Code: (\d+)\.`)

func newError(text string) *Error {
	e := &Error{Message: text}
	if m := errorCode.FindStringSubmatch(text); m != nil {
		e.Code, _ = strconv.Atoi(m[1])
	}
	return e
}

// Result is the whole answer of a statement, in memory of the library.
type Result struct {
	api    *api
	handle uintptr
}

// Query runs a statement to its end. The result must be destroyed.
func (c *Conn) Query(st Statement) (*Result, error) {
	return c.result(c.run(c.api.query, st))
}

// Stream starts a SELECT whose answer is fetched piece by piece. The stream must be closed.
func (c *Conn) Stream(st Statement) (*Stream, error) {
	res, err := c.result(c.run(c.api.stream, st))
	if err != nil {
		return nil, err
	}
	return &Stream{conn: c, result: res}, nil
}

func (c *Conn) run(call runFunc, st Statement) uintptr {
	format := st.Format
	if format == "" {
		format = "Native"
	}
	text := cStrings([]string{st.SQL, format})
	defer text.unpin()
	names, values := make([]string, 0, len(st.Params)), make([]string, 0, len(st.Params))
	for name, value := range st.Params {
		names, values = append(names, name), append(values, value)
	}
	n, v := cStrings(names), cStrings(values)
	defer n.unpin()
	defer v.unpin()
	return call(c.raw(),
		unsafe.Pointer(text.ptrs[0]), text.lens[0], unsafe.Pointer(text.ptrs[1]), text.lens[1],
		n.pointers(), n.lengths(), v.pointers(), v.lengths(), uintptr(len(names)))
}

func (c *Conn) result(handle uintptr) (*Result, error) {
	if handle == 0 {
		return nil, newError("the ClickHouse engine returned no result")
	}
	res := &Result{api: c.api, handle: handle}
	if text := c.api.errorText(handle); text != "" {
		res.Destroy()
		return nil, newError(text)
	}
	return res, nil
}

// Bytes returns the formatted answer. It is memory of the library: valid until Destroy.
func (r *Result) Bytes() []byte {
	n := r.api.length(r.handle)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(r.api.buffer(r.handle)), n)
}

// RowsWritten counts the rows an INSERT wrote, those of its materialised views included.
func (r *Result) RowsWritten() uint64 { return r.api.rowsWritten(r.handle) }

// BytesWritten counts the uncompressed bytes of those rows.
func (r *Result) BytesWritten() uint64 { return r.api.bytesWritten(r.handle) }

// RowsRead counts the rows of the answer.
func (r *Result) RowsRead() uint64 { return r.api.rowsRead(r.handle) }

// Destroy frees the answer. Further calls do nothing.
func (r *Result) Destroy() {
	if r.handle != 0 {
		r.api.destroy(r.handle)
		r.handle = 0
	}
}

// Stream is a running SELECT. Like its connection it belongs to one goroutine.
type Stream struct {
	conn   *Conn
	result *Result
	ended  bool
}

// Next returns the next piece, or nil and no error at the end. The piece must be destroyed.
func (s *Stream) Next() (*Result, error) {
	piece, err := s.conn.result(s.conn.api.fetch(s.conn.raw(), s.result.handle))
	if err != nil {
		s.ended = true
		return nil, err
	}
	if len(piece.Bytes()) == 0 {
		s.ended = true
		piece.Destroy()
		return nil, nil
	}
	return piece, nil
}

// Close stops the statement if it still runs and frees the stream.
func (s *Stream) Close() {
	if !s.ended {
		s.conn.api.cancel(s.conn.raw(), s.result.handle)
		s.ended = true
	}
	s.result.Destroy()
}

// Class says what a statement does to what outlives it.
type Class uint32

// The classes, from harmless to unknown; a batch has the class of its worst statement.
const (
	ReadOnly       Class = iota // SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS, CHECK
	Mutating                    // INSERT, CREATE, ALTER, DROP … inside databases
	MutatingGlobal              // functions, users, named collections, writes to system
	Control                     // USE, SET, ATTACH, SYSTEM, KILL, BACKUP, INTO OUTFILE, INSERT INTO FUNCTION
	Unknown                     // does not parse
)

// Analysis is what the engine's own parser says about a text.
type Analysis struct {
	Statements int // 0 when the text does not parse
	Class      Class
}

// Classify parses a text without running it.
func (c *Conn) Classify(sql string) (Analysis, error) {
	text := cStrings([]string{sql})
	defer text.unpin()
	out := [4]uint32{16} // struct_size, statement_count, flags, query_class
	if c.api.classify(c.raw(), unsafe.Pointer(text.ptrs[0]), text.lens[0], nil, 0, unsafe.Pointer(&out)) != 0 {
		return Analysis{Class: Unknown}, newError("the ClickHouse engine could not analyse the statement")
	}
	runtime.KeepAlive(&out)
	return Analysis{Statements: int(out[1]), Class: Class(out[3])}, nil
}
