package chhost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"mybeacon/engine/embedded/chdb"
)

// errAborted means that part of the answer is sent and the rest never will be.
var errAborted = errors.New("answer cut short")

// answer writes the result of one statement.
type answer struct {
	w          http.ResponseWriter
	control    *http.ResponseController
	compressor *compress.Writer // nil: plain
	stall      time.Duration
	tag        string // announces and ends an error within the answer
	begun      bool
	discreet   func(error) error // what of an error may be told; nil: all
}

// soften returns what of the error may be told.
func (a *answer) soften(err error) error {
	if err == nil || a.discreet == nil {
		return err
	}
	return a.discreet(err)
}

func newAnswer(w http.ResponseWriter, req *request, stall time.Duration) *answer {
	a := &answer{w: w, control: http.NewResponseController(w), stall: stall, tag: randomHex(8)}
	if req.compress {
		a.compressor = compress.NewWriter(compress.LevelZero, compress.LZ4)
	}
	h := w.Header()
	h.Set("Content-Type", contentType(req.format))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-ClickHouse-Format", req.format)
	h.Set("X-ClickHouse-Timezone", "UTC")
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	return a
}

func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "JSONEachRow"), format == "JSONLines", format == "NDJSON":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8"
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case format == "Native", format == "Parquet", strings.HasPrefix(format, "RowBinary"), strings.HasPrefix(format, "Arrow"):
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}

// whole runs the statement to its end and sends the complete answer.
func (a *answer) whole(conn *chdb.Conn, st chdb.Statement) error {
	res, err := conn.Query(st)
	if err != nil {
		return err
	}
	defer res.Destroy()
	h := a.w.Header()
	h.Set("X-ClickHouse-Summary", fmt.Sprintf(`{"read_rows":"%d","written_rows":"%d","written_bytes":"%d"}`, res.RowsRead(), res.RowsWritten(), res.BytesWritten()))
	if len(res.Bytes()) == 0 {
		h.Set("Content-Length", "0") // clickhouse-go takes it for "no rows"
	}
	return a.write(res.Bytes())
}

// stream sends the answer of a SELECT as it comes. Each piece must be taken
// within the stall time, so that a client which stops reading holds nothing for ever.
func (a *answer) stream(ctx context.Context, conn *chdb.Conn, st chdb.Statement) error {
	stream, err := conn.Stream(st)
	if err != nil {
		return err
	}
	defer stream.Close()
	for ctx.Err() == nil {
		piece, err := stream.Next()
		if err != nil {
			return a.fail(err)
		}
		if piece == nil {
			return a.end()
		}
		err = a.write(piece.Bytes())
		piece.Destroy()
		if err != nil {
			return err
		}
	}
	return errAborted
}

func (a *answer) end() error {
	if !a.begun {
		a.w.Header().Set("Content-Length", "0")
	}
	return nil
}

// write sends b. Its only error is errAborted: the client is gone or does not read.
func (a *answer) write(b []byte) error {
	a.begun = true
	_ = a.control.SetWriteDeadline(time.Now().Add(a.stall))
	// A frame's length is 32 bits, and the reader holds all of it in memory.
	const frame = 1 << 20
	for len(b) > 0 && a.compressor != nil {
		n := min(len(b), frame)
		if err := a.compressor.Compress(b[:n]); err != nil {
			return errAborted
		}
		if _, err := a.w.Write(a.compressor.Data); err != nil {
			return errAborted
		}
		b = b[n:]
	}
	if _, err := a.w.Write(b); err != nil {
		return errAborted
	}
	return nil
}

// fail reports an error: as a status while nothing is sent, afterwards in the
// body, framed as ClickHouse does, and by cutting the connection.
func (a *answer) fail(err error) error {
	if !a.begun {
		return err
	}
	msg := a.soften(err).Error()
	const most = 16<<10 - 200 // what clients look for at the end of a body
	msg = msg[:min(len(msg), most)]
	fmt.Fprintf(a.w, "\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", a.tag, msg, len(msg)+1, a.tag)
	_ = a.control.Flush()
	return errAborted
}

// writeError sends an error before anything else was sent.
func writeError(w http.ResponseWriter, err error) {
	code, msg := 0, err.Error()
	var e *chdb.Error
	if errors.As(err, &e) {
		code = e.Code
	} else {
		msg = "Code: 1002. DB::Exception: " + msg
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(max(code, 1)))
	h.Del("X-ClickHouse-Exception-Tag")
	h.Del("X-ClickHouse-Format")
	h.Del("Content-Length")
	w.WriteHeader(status(code))
	_, _ = w.Write([]byte(strings.TrimSpace(msg) + "\n"))
}

// status maps ClickHouse's codes where a client does something with the
// difference; everything else is 500, as the interface has it.
func status(code int) int {
	switch code {
	case codeAuth:
		return http.StatusUnauthorized
	case codeDenied, codeReadonly:
		return http.StatusForbidden
	case codeTooMany:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
