package http_test

import (
	"testing"

	"mybeacon/http/shelltest"
)

// BenchmarkMe is the cost that authentication by a session adds to a request:
// two look-ups by key, over a real connection.
func BenchmarkMe(b *testing.B) {
	s := shelltest.Start(b, nil, nil)
	c := s.Login(shelltest.AdminEmail)
	for b.Loop() {
		c.Want(200, "GET", me, nil, nil)
	}
}

// BenchmarkLogin is mostly argon2id, by intention.
func BenchmarkLogin(b *testing.B) {
	s := shelltest.Start(b, nil, nil)
	c := s.Nobody()
	for b.Loop() {
		c.Want(200, "POST", login, credentials(shelltest.AdminEmail, shelltest.Password), nil)
	}
}
