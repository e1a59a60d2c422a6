package http

import (
	"bytes"
	"net/http"
)

// maxHeld is how much of an answer is held back, to know its tag, to compress it and
// to store it. The answers of the REST API are far smaller; what is longer, or
// flushed, is a stream and goes on as it comes.
const maxHeld = 1 << 20

// held holds an answer back. It belongs to the request's goroutine.
type held struct {
	w      http.ResponseWriter // nil: the answer is only looked at
	header http.Header
	status int
	body   bytes.Buffer
	passed bool // it is a stream by now
}

func hold(w http.ResponseWriter) *held { return &held{w: w, header: w.Header()} }

// Header implements http.ResponseWriter.
func (h *held) Header() http.Header { return h.header }

// Unwrap lets deadlines reach the connection.
func (h *held) Unwrap() http.ResponseWriter { return h.w }

// WriteHeader implements http.ResponseWriter.
func (h *held) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

// Write implements http.ResponseWriter.
func (h *held) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	if !h.passed && h.body.Len()+len(b) > maxHeld && h.w != nil {
		if err := h.pass(); err != nil {
			return 0, err
		}
	}
	if h.passed {
		return h.w.Write(b)
	}
	return h.body.Write(b)
}

// FlushError sends what there is, as [http.ResponseController] asks.
func (h *held) FlushError() error {
	if h.w == nil {
		return nil
	}
	h.WriteHeader(http.StatusOK)
	if err := h.pass(); err != nil {
		return err
	}
	return http.NewResponseController(h.w).Flush()
}

// Flush implements http.Flusher.
func (h *held) Flush() { _ = h.FlushError() } // the next Write says it again

func (h *held) pass() error {
	if h.passed {
		return nil
	}
	h.passed = true
	return h.send()
}

// send sends what is held.
func (h *held) send() error {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	h.w.WriteHeader(h.status)
	if h.body.Len() == 0 {
		return nil
	}
	_, err := h.w.Write(h.body.Bytes())
	return err
}
