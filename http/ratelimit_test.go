package http_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	shell "mybeacon/http"
	"mybeacon/http/shelltest"
)

// slowly is a rate at which nothing comes back during a test.
func slowly(burst int) shell.Rate { return shell.Rate{PerSecond: 1.0 / 3600, Burst: burst} }

func TestRatePerUser(t *testing.T) {
	n := startNotes(t, func(c *shell.Config) { c.Rates.User = slowly(3) })
	c, other := n.Login("owner@example.com"), n.Login("second@example.com")
	for left := 2; left >= 0; left-- {
		r := c.Do("GET", n.path(), nil)
		if r.StatusCode != 200 || r.Header.Get("RateLimit-Limit") != "3" || r.Header.Get("RateLimit-Remaining") != strconv.Itoa(left) || r.Header.Get("RateLimit-Reset") == "" {
			t.Errorf("%d left: %d %v", left, r.StatusCode, r.Header)
		}
	}
	r := c.Do("GET", n.path(), nil)
	if r.StatusCode != 429 || r.Header.Get("RateLimit-Remaining") != "0" || r.Header.Get("Retry-After") == "" || r.Problem().Status != 429 {
		t.Errorf("one too many: %d %s %v", r.StatusCode, r.Bytes, r.Header)
	}
	if again := n.Login("owner@example.com").Do("GET", n.path(), nil); again.StatusCode != 429 {
		t.Errorf("a new session escapes: %d", again.StatusCode)
	}
	if r := other.Do("GET", n.path(), nil); r.StatusCode != 200 {
		t.Errorf("another person: %d", r.StatusCode)
	}
}

func TestRatePerOrganisation(t *testing.T) {
	n := startNotes(t, func(c *shell.Config) { c.Rates.User, c.Rates.Organisation = slowly(100), slowly(2) })
	c, other := n.Login("owner@example.com"), n.Login("second@example.com")
	if r := c.Do("GET", n.path(), nil); r.Header.Get("RateLimit-Limit") != "2" {
		t.Errorf("the tightest bound is not shown: %v", r.Header)
	}
	other.Want(200, "GET", n.path(), nil, nil)
	other.Refuse(429, "GET", n.path(), nil)
	n.Login(shelltest.AdminEmail).Want(200, "GET", n.path(), nil, nil) // of no organisation
}

// An address is bounded before anybody is known, by what a proxy in between tells of
// it and by nothing else; probes, devices and the console are not.
func TestRatePerAddress(t *testing.T) {
	n := startNotes(t, func(c *shell.Config) { c.Rates.Address = slowly(2) })
	c := n.Nobody()
	for i := range 2 {
		c.Do("GET", "/api/v1/auth/me", nil, "X-Forwarded-For", fmt.Sprint("10.0.0.", i))
	}
	r := c.Do("GET", "/api/v1/auth/me", nil, "X-Forwarded-For", "10.0.0.9")
	if r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	for _, path := range []string{"/livez", "/readyz", "/api/v1/device/frames"} {
		if r := c.Do("GET", path, nil); r.StatusCode == http.StatusTooManyRequests {
			t.Errorf("%s is bounded too", path)
		}
	}
}

func TestNoRatesByDefault(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	for range 300 {
		if r := c.Do("GET", n.path(), nil); r.StatusCode != 200 || r.Header.Get("RateLimit-Limit") != "" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
	}
}
