// Package mailtest gives tests a real SMTP server that keeps what it takes, and that can
// refuse, encrypt, ask for a password, go away and come back.
package mailtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Config of a server. The zero Config takes everything, unencrypted.
type Config struct {
	TLS            bool // encrypted from the start
	StartTLS       bool // offers to encrypt
	User, Password string
	// Refuse answers an address; nil takes it. It is called by one goroutine for each
	// connection.
	Refuse func(to string) *smtp.SMTPError
}

// Mail is a mail as the server took it.
type Mail struct {
	From, To  string // of the envelope
	User      string // who logged in
	Encrypted bool
	Header    mail.Header
	Raw       []byte
}

// Server is a running SMTP server.
type Server struct {
	tb      testing.TB
	cfg     Config
	address string
	cert    tls.Certificate
	roots   *x509.CertPool
	mails   chan Mail
	running *smtp.Server
	door    net.Listener
	ended   chan struct{}
}

// deadline bounds waiting for a mail: a test that misses one should say so.
const deadline = 20 * time.Second

// held bounds the mails that a test does not ask for.
const held = 1000

// Start runs a server until the test ends.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s := &Server{tb: tb, cfg: cfg, address: "127.0.0.1:0", mails: make(chan Mail, held)}
	s.makeCertificate()
	s.Resume()
	tb.Cleanup(s.Stop)
	return s
}

// Stop ends the server and its connections; [Server.Resume] starts it again at the same
// address.
func (s *Server) Stop() {
	if s.running == nil {
		return
	}
	_ = s.running.Close()
	_ = s.door.Close() // which the server may not have begun to use
	<-s.ended
	s.running = nil
}

// Resume starts a stopped server.
func (s *Server) Resume() {
	s.tb.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.address = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	server.ErrorLog, server.AllowInsecureAuth, server.EnableSMTPUTF8 = silent{}, true, true
	settings := &tls.Config{Certificates: []tls.Certificate{s.cert}}
	if s.cfg.StartTLS {
		server.TLSConfig = settings
	}
	if s.cfg.TLS {
		listener = tls.NewListener(listener, settings)
	}
	s.running, s.door, s.ended = server, listener, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		_ = server.Serve(listener) // it was told to end
	}(s.ended)
}

// URL returns where the server is and how to log in, as for MYBEACON_SMTP; query is
// empty or as in "tls=none".
func (s *Server) URL(query string) string {
	u := url.URL{Scheme: "smtp", Host: s.address, RawQuery: query}
	if s.cfg.TLS {
		u.Scheme = "smtps"
	}
	if s.cfg.User != "" {
		u.User = url.UserPassword(s.cfg.User, s.cfg.Password)
	}
	return u.String()
}

// Trust returns settings that know the server's certificate.
func (s *Server) Trust() *tls.Config { return &tls.Config{RootCAs: s.roots} }

// Next waits for the next mail.
func (s *Server) Next() Mail {
	s.tb.Helper()
	timeout := time.NewTimer(deadline)
	defer timeout.Stop()
	select {
	case m := <-s.mails:
		return m
	case <-timeout.C:
		s.tb.Fatal("no mail came")
		return Mail{}
	}
}

// None fails the test when a mail came that it did not ask for.
func (s *Server) None() {
	s.tb.Helper()
	select {
	case m := <-s.mails:
		s.tb.Errorf("an unexpected mail to %s", m.To)
	default:
	}
}

// Subject returns the decoded subject.
func (m Mail) Subject() string {
	text, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return "undecodable: " + err.Error()
	}
	return text
}

// Part returns the decoded part of the media type, such as "text/html".
func (m Mail) Part(mediaType string) string {
	message, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return "unreadable: " + err.Error()
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return "no multipart: " + err.Error()
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return "there is no such part"
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), mediaType) {
			continue
		}
		text, err := io.ReadAll(decoder(part))
		if err != nil {
			return "undecodable: " + err.Error()
		}
		return strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

func decoder(part *multipart.Part) io.Reader {
	if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		return quotedprintable.NewReader(part)
	}
	return part
}

// makeCertificate gives the server an identity that [Server.Trust] knows.
func (s *Server) makeCertificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(parsed)
}

// silent is the log of connections that broke, which tests break on purpose.
type silent struct{}

// Printf implements smtp.Logger.
func (silent) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silent) Println(...any) {}

// session is one connection's talk.
type session struct {
	server *Server
	conn   *smtp.Conn
	mail   Mail
	user   string
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.server.cfg.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.cfg.User || password != s.server.cfg.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.cfg.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail.From = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.server.cfg.Refuse != nil {
		if refusal := s.server.cfg.Refuse(to); refusal != nil {
			return refusal
		}
	}
	s.mail.To = to
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.mail.Raw, s.mail.Header, s.mail.User, s.mail.Encrypted = raw, message.Header, s.user, encrypted
	s.server.mails <- s.mail
	return nil
}
