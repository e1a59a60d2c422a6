package mail_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"mybeacon/engine/mail"
	"mybeacon/engine/mail/mailtest"
)

// senderTo returns a sender by the server of the URL.
func senderTo(t testing.TB, server *mailtest.Server, url string) *mail.Sender {
	t.Helper()
	parsed, err := mail.ParseServer(url)
	if err != nil {
		t.Fatal(err)
	}
	s := &mail.Sender{Server: parsed, From: netmail.Address{Name: "Маяк", Address: "beacon@example.org"}, Helo: "beacon.example.org", Timeout: 10 * time.Second}
	if server != nil {
		s.TLS = server.Trust()
	}
	return s
}

var hello = mail.Rendered{Subject: "«Маяк» ждёт активации", Text: "Здравствуйте, Ёжик!\n.\nконец\n", HTML: "<p>Здравствуйте, Ёжик!</p>\n"}

func TestSend(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := func(name string, cfg mailtest.Config, query string, encrypted bool) {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Start(t, cfg)
			sender := senderTo(t, server, server.URL(query))
			if err := sender.Probe(t.Context()); err != nil {
				t.Errorf("probe: %v", err)
			}
			if err := sender.Send(t.Context(), "maria@example.org", "1@beacon.example.org", hello); err != nil {
				t.Fatal(err)
			}
			got := server.Next()
			if got.Encrypted != encrypted || got.User != cfg.User || got.To != "maria@example.org" || got.From != "beacon@example.org" {
				t.Errorf("got %+v", got)
			}
			server.None()
		})
	}
	f("plain", mailtest.Config{}, "tls=none", false)
	f("plain on this machine", mailtest.Config{}, "", false)
	f("plain with a password on this machine", mailtest.Config{User: "u", Password: "p"}, "tls=none", false)
	f("starttls", mailtest.Config{StartTLS: true}, "", true)
	f("starttls with a password", mailtest.Config{StartTLS: true, User: "u", Password: "p%: ü"}, "", true)
	f("tls", mailtest.Config{TLS: true}, "", true)
	f("tls with a password", mailtest.Config{TLS: true, User: "u", Password: "p"}, "", true)
}

// Headers say what they should, and 8-bit text arrives as it was written.
func TestHeaders(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	if err := senderTo(t, server, server.URL("")).Send(t.Context(), "maria@example.org", "1@beacon.example.org", hello); err != nil {
		t.Fatal(err)
	}
	got := server.Next()
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "Message-Id": "<1@beacon.example.org>", "To": "<maria@example.org>",
		"From": "=?utf-8?q?=D0=9C=D0=B0=D1=8F=D0=BA?= <beacon@example.org>", "User-Agent": "", "X-Mailer": "",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if _, err := got.Header.Date(); err != nil {
		t.Errorf("Date: %v", err)
	}
	if got.Subject() != hello.Subject || got.Part("text/plain") != hello.Text || got.Part("text/html") != hello.HTML {
		t.Errorf("arrived as %q\n%q\n%q", got.Subject(), got.Part("text/plain"), got.Part("text/html"))
	}
	for line := range strings.SplitSeq(string(got.Raw), "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("a line is too long or not ASCII: %q", line)
		}
	}
}

// refusal sends and returns the refusal.
func refusal(t *testing.T, ctx context.Context, s *mail.Sender) *mail.Refusal {
	t.Helper()
	err := s.Send(ctx, "maria@example.org", "1@beacon.example.org", hello)
	var r *mail.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("no refusal: %v", err)
	}
	return r
}

func TestRefusals(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	answer := func(code int, text string) mailtest.Config {
		return mailtest.Config{Refuse: func(string) *smtp.SMTPError {
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
		}}
	}
	f := func(name string, cfg mailtest.Config, change func(*mail.Sender), permanent bool, words string) {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Start(t, cfg)
			sender := senderTo(t, server, server.URL(""))
			change(sender)
			r := refusal(t, t.Context(), sender)
			if r.Permanent != permanent || !strings.Contains(r.Words, words) || strings.Contains(r.Words, "wrong-secret") {
				t.Errorf("%+v, want permanent %v and %q", r, permanent, words)
			}
			server.None()
		})
	}
	as := func(*mail.Sender) {}
	f("no such person", answer(550, "no such user here"), as, true, `550 "no such user here"`)
	f("greylisted", answer(451, "try again later"), as, false, `451 "try again later"`)
	f("full", answer(452, "mailbox full"), as, false, "mailbox full")
	f("wrong password", mailtest.Config{StartTLS: true, User: "u", Password: "p"}, func(s *mail.Sender) { s.Server.Password = "wrong-secret" }, false, "535")
	f("no encryption where it must be", mailtest.Config{}, (*mail.Sender).Distant, false, "STARTTLS")
	f("an unknown certificate", mailtest.Config{TLS: true}, func(s *mail.Sender) { s.TLS = nil }, false, "certificate")
	f("an unknown certificate after STARTTLS", mailtest.Config{StartTLS: true}, func(s *mail.Sender) { s.TLS = nil }, false, "certificate")
}

func TestNobodyThere(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	server.Stop()
	if r := refusal(t, t.Context(), senderTo(t, server, server.URL(""))); r.Permanent || !strings.Contains(r.Words, "refused") {
		t.Errorf("%+v", r)
	}
}

// A server that takes the connection and says nothing is left after the timeout, and at
// once when the caller gives up.
func TestHangingServer(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, scheme := range []string{"smtp", "smtps"} {
		sender := senderTo(t, nil, scheme+"://"+listener.Addr().String())
		sender.Timeout = 200 * time.Millisecond
		began := time.Now()
		if r := refusal(t, t.Context(), sender); r.Permanent || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %+v after %v", scheme, r, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		sender.Timeout = time.Hour
		if r := refusal(t, ctx, sender); r.Permanent {
			t.Errorf("%s: %+v", scheme, r)
		}
	}
}

// A server that takes the mail and hangs up without a good-bye has taken it: to send it
// again would be a second mail.
func TestHangUpAfterTheMail(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan error, 1)
	go func() { ended <- takeAndHangUp(listener) }()
	if err := senderTo(t, nil, "smtp://"+listener.Addr().String()).Send(t.Context(), "maria@example.org", "1@b", hello); err != nil {
		t.Errorf("the mail counts as not sent: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// takeAndHangUp speaks just enough SMTP to take one mail.
func takeAndHangUp(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	say("220 here")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		switch verb, _, _ := strings.Cut(lines.Text(), " "); strings.ToUpper(verb) {
		case "DATA":
			say("354 go on")
			for lines.Scan() && lines.Text() != "." {
			}
			say("250 taken")
			return nil
		default:
			say("250 fine")
		}
	}
	return lines.Err()
}
