package provision

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxPatience is the longest wait that a server's Retry-After is followed for.
const maxPatience = 30 * time.Second

// patient sends a request again after the wait that the server asks for: a site is
// set up by thousands of requests, faster than a server lets one caller ask.
type patient struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		answer, err := p.next.RoundTrip(r)
		if err != nil || answer.StatusCode != http.StatusTooManyRequests {
			return answer, err
		}
		wait, told := retryAfter(answer)
		if !told || r.Body != nil && r.GetBody == nil {
			return answer, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
		_ = answer.Body.Close()
		if r, err = again(r, wait); err != nil {
			return nil, err
		}
	}
}

// retryAfter returns how long the server asks to wait; ok is false when it does not say
// or asks for too much.
func retryAfter(answer *http.Response) (wait time.Duration, ok bool) {
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	wait = time.Duration(seconds) * time.Second
	return wait, err == nil && seconds >= 0 && wait <= maxPatience
}

// again returns the request to be sent once more, after the wait.
func again(r *http.Request, wait time.Duration) (*http.Request, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if r.Body == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = body
	return r, nil
}
