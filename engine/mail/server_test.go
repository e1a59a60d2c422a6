package mail_test

import (
	"strings"
	"testing"

	"mybeacon/engine/mail"
	"mybeacon/schema"
)

func TestParseServer(t *testing.T) {
	ok := func(raw, want string) {
		t.Helper()
		s, err := mail.ParseServer(raw)
		if err != nil || s.String() != want {
			t.Errorf("%s: %q, %v, want %q", raw, s, err, want)
		}
	}
	ok("", "")
	ok("smtps://mail.example.org", "smtps://mail.example.org:465")
	ok("smtps://user:p%40ss@mail.example.org:2465/", "smtps://mail.example.org:2465")
	ok("smtp://user:pass@mail.example.org", "smtp://mail.example.org:587")
	ok("smtp://mail.example.org:25?tls=none", "smtp://mail.example.org:25")
	ok("smtp://localhost:1025", "smtp://localhost:1025")
	ok("smtp://user:pass@127.0.0.1:1025?tls=none", "smtp://127.0.0.1:1025")
	ok("smtp://[::1]:25", "smtp://[::1]:25")

	refused := func(raw, why string) {
		t.Helper()
		s, err := mail.ParseServer(raw)
		if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), why) || !strings.HasPrefix(err.Error(), "smtp: ") {
			t.Errorf("%s: %v, %v, want the field smtp and %q", raw, s, err, why)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is repeated: %v", err)
		}
	}
	refused("mail.example.org:25", "smtps://")
	refused("http://mail.example.org", "smtps://")
	refused("smtp://", "names no host")
	refused("smtp://user:hunter2%@mail.example.org", "%XX")
	refused("smtp://user@mail.example.org", "password")
	refused("smtp://:hunter2@mail.example.org", "user")
	refused("smtp://user:hunter2@mail.example.org:25?tls=none", "for all to read")
	refused("smtps://mail.example.org?tls=none", "leave out")
	refused("smtp://mail.example.org?tls=off", "only tls=none")
	refused("smtp://mail.example.org?tls=none&x=1", "only tls=none")
	refused("smtp://mail.example.org/inbox", "may follow")
	refused("smtp://mail.example.org:0", "port")
	refused("smtp://mail.example.org:99999", "port")
}

func TestParseFrom(t *testing.T) {
	a, err := mail.ParseFrom("Маяк <beacon@example.org>")
	if err != nil || a.Name != "Маяк" || a.Address != "beacon@example.org" {
		t.Errorf("%v, %v", a, err)
	}
	if a, err = mail.ParseFrom("beacon@example.org"); err != nil || a.Name != "MyBeacon" {
		t.Errorf("without a name: %v, %v", a, err)
	}
	for _, text := range []string{"", "beacon", "a@b\r\nBcc: c@d", "Beacon <>"} {
		if _, err := mail.ParseFrom(text); schema.KindOf(err) != schema.Invalid || !strings.HasPrefix(err.Error(), "mail-from: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
