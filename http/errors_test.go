package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestACallerWhoLeftIsNoFailure(t *testing.T) {
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	gone, leave := context.WithCancel(t.Context())
	leave()
	cut := fmt.Errorf("read plans: %w", context.Canceled)
	if p := s.problemOf(gone, cut); p.Status != statusLeft || log.Len() > 0 {
		t.Errorf("the caller left: status %d, log %q", p.Status, &log)
	}
	// Something of ours that was cancelled while the caller waits is a failure.
	if p := s.problemOf(t.Context(), cut); p.Status != 500 || !strings.Contains(log.String(), "read plans") {
		t.Errorf("the caller waits: status %d, log %q", p.Status, &log)
	}
	if p := s.problemOf(gone, errors.New("disk full")); p.Status != 500 {
		t.Errorf("a failure beside: status %d", p.Status)
	}
}
