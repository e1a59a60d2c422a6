package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"
	"unicode"

	smtp "github.com/wneessen/go-mail"

	"mybeacon/schema"
)

// DefaultTimeout bounds the talk with a mail server about one mail.
const DefaultTimeout = 45 * time.Second

// Sender sends mails by one server. It is safe for concurrent use; each mail has a
// connection of its own.
type Sender struct {
	Server  Server
	From    mail.Address
	Helo    string        // how this machine introduces itself
	Timeout time.Duration // 0: [DefaultTimeout]
	TLS     *tls.Config   // nil: the system's roots
}

// ParseFrom reads the sender's address, as in "MyBeacon <beacon@example.org>". The
// error is of the field mail-from.
func ParseFrom(text string) (mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || hasControl(text) {
		return mail.Address{}, schema.Errorf(schema.Invalid, "mail-from", "%.100q is no address such as MyBeacon <beacon@example.org>", text)
	}
	if a.Name == "" {
		a.Name = "MyBeacon"
	}
	return *a, nil
}

// Refusal is the mail server's answer to a mail.
type Refusal struct {
	// Permanent says that the same mail will be refused again.
	Permanent bool
	Words     string // the server's own, in one line
}

// Error implements error.
func (r *Refusal) Error() string { return r.Words }

// Send gives the mail to the server. An error is a [*Refusal]; after one that is not
// permanent the server may have the mail all the same, if the connection broke between
// its last word and our hearing it.
func (s *Sender) Send(ctx context.Context, to, messageID string, r Rendered) error {
	message, err := s.compose(to, messageID, r)
	if err != nil {
		return &Refusal{Permanent: true, Words: oneLine(err.Error())}
	}
	err = s.connected(ctx, func(client *smtp.Client) error { return client.DialAndSendWithContext(ctx, message) })
	if err == nil || message.IsDelivered() { // taken: how they parted does not matter
		return nil
	}
	return refusalOf(err)
}

// Probe connects, encrypts and logs in as for a mail, and sends none.
func (s *Sender) Probe(ctx context.Context) error {
	err := s.connected(ctx, func(client *smtp.Client) error {
		if err := client.DialWithContext(ctx); err != nil {
			return err
		}
		return client.Close()
	})
	if err != nil {
		return refusalOf(err)
	}
	return nil
}

// connected runs do with a client whose connection ends with it or with the context:
// the library leaves connections open that failed on their way.
func (s *Sender) connected(ctx context.Context, do func(*smtp.Client) error) error {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	client, err := s.client(timeout, func(dialing context.Context, network, address string) (net.Conn, error) {
		opened, err := s.dial(dialing, network, address)
		if err == nil {
			conn = opened
			context.AfterFunc(ctx, func() { _ = opened.Close() })
		}
		return opened, err
	})
	if err != nil {
		return err
	}
	if err := do(client); err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return nil
}

func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil || s.Server.security != fromStart {
		return conn, err
	}
	encrypted := tls.Client(conn, s.tls())
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}

func (s *Sender) tls() *tls.Config {
	cfg := &tls.Config{}
	if s.TLS != nil {
		cfg = s.TLS.Clone()
	}
	cfg.ServerName, cfg.MinVersion = s.Server.Host, tls.VersionTLS12
	return cfg
}

func (s *Sender) client(timeout time.Duration, dial smtp.DialContextFunc) (*smtp.Client, error) {
	options := []smtp.Option{
		smtp.WithPort(s.Server.Port), smtp.WithTimeout(timeout), smtp.WithTLSConfig(s.tls()),
		smtp.WithTLSPolicy(s.policy()), smtp.WithDialContextFunc(dial), smtp.WithoutNoop(),
	}
	if s.Helo != "" {
		options = append(options, smtp.WithHELO(s.Helo))
	}
	if s.Server.User != "" {
		kind := smtp.SMTPAuthAutoDiscover
		if s.Server.security == never { // on this machine, or it was refused as a setting
			kind = smtp.SMTPAuthPlainNoEnc
		}
		options = append(options, smtp.WithSMTPAuth(kind), smtp.WithUsername(s.Server.User), smtp.WithPassword(s.Server.Password))
	}
	return smtp.NewClient(s.Server.Host, options...)
}

func (s *Sender) policy() smtp.TLSPolicy {
	switch s.Server.security {
	case mustStart:
		return smtp.TLSMandatory
	case never:
		return smtp.NoTLS
	default: // a connection that is encrypted already is recognised
		return smtp.TLSOpportunistic
	}
}

func (s *Sender) compose(to, messageID string, r Rendered) (*smtp.Msg, error) {
	m := smtp.NewMsg(smtp.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.From)
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("the address %q cannot be written to: %w", to, err)
	}
	m.Subject(r.Subject)
	m.SetDate()
	m.SetMessageIDWithValue(messageID)
	// RFC 3834: answering machines are silent.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetBodyString(smtp.TypeTextPlain, r.Text)
	m.AddAlternativeString(smtp.TypeTextHTML, r.HTML)
	return m, nil
}

// refusalOf finds out whether to try again. Only an answer about the mail itself, its
// addresses or its content is final; a login or a certificate that is refused is the
// administrator's to mend.
func refusalOf(err error) *Refusal {
	var about *smtp.SendError
	r := &Refusal{Words: oneLine(err.Error())}
	if !errors.As(err, &about) {
		return r
	}
	switch about.Reason {
	case smtp.ErrSMTPMailFrom, smtp.ErrSMTPRcptTo, smtp.ErrSMTPData, smtp.ErrSMTPDataClose:
		r.Permanent = about.ErrorCode()/100 == 5
	}
	return r
}

// maxWords bounds what is kept of a server's answer.
const maxWords = 500

// oneLine makes a server's words fit for a page and a log.
func oneLine(text string) string {
	text, _, _ = strings.Cut(text, ", affected ") // the library's list of what we know
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	if runes := []rune(text); len(runes) > maxWords {
		text = string(runes[:maxWords]) + "…"
	}
	return strings.TrimSpace(text)
}
