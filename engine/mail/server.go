package mail

import (
	"net"
	"net/url"
	"strconv"

	"mybeacon/schema"
)

// encryption is when a connection to a mail server becomes encrypted.
type encryption uint8

const (
	fromStart encryption = iota // smtps://
	mustStart                   // STARTTLS, or nothing is said
	mayStart                    // STARTTLS if the server offers it: on this machine
	never                       // ?tls=none
)

// Server is a mail server that takes our mails. The zero Server is none.
type Server struct {
	Host     string
	Port     int
	User     string
	Password string
	security encryption
}

// The usual ports of submission, RFC 8314.
const (
	portEncrypted = 465
	portStartTLS  = 587
)

// ParseServer reads smtps://user:password@host:465, or smtp://…:587 for a connection
// that STARTTLS encrypts: it must, unless the server is on this machine or the URL ends
// in ?tls=none. The error is [schema.Invalid] of the field smtp and never repeats the
// URL, which may hold a password. Empty text is no server.
func ParseServer(raw string) (Server, error) {
	if raw == "" {
		return Server{}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Server{}, invalid("it cannot be read as a URL: escape special characters of the password as %%XX")
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Server{}, invalid("nothing but ?tls=none may follow the address")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username()}
	s.Password, _ = u.User.Password()
	if s.Host == "" {
		return Server{}, invalid("it names no host: smtps://user:password@mail.example.org is expected")
	}
	if err := s.setSecurity(u); err != nil {
		return Server{}, err
	}
	if (s.User == "") != (s.Password == "") {
		return Server{}, invalid("a user needs a password, and a password a user")
	}
	return s, s.setPort(u.Port())
}

func invalid(format string, args ...any) error {
	return schema.Errorf(schema.Invalid, "smtp", format, args...)
}

func (s *Server) setSecurity(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) > 1 || len(query) == 1 && (!query.Has("tls") || query.Get("tls") != "none") {
		return invalid("after ? only tls=none is known")
	}
	plain := query.Has("tls")
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return invalid("a URL that begins with smtps:// or smtp:// is expected, not %.20q", u.Scheme)
	case u.Scheme == "smtps" && plain:
		return invalid("smtps is encrypted: leave out ?tls=none, or say smtp")
	case u.Scheme == "smtps":
		s.security = fromStart
	case plain && s.User != "" && !s.local():
		return invalid("the password would be sent for all to read: leave out ?tls=none, or the password")
	case plain:
		s.security = never
	case s.local():
		s.security = mayStart
	default:
		s.security = mustStart
	}
	return nil
}

func (s *Server) setPort(text string) error {
	switch {
	case text == "" && s.security == fromStart:
		s.Port = portEncrypted
	case text == "":
		s.Port = portStartTLS
	default:
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			return invalid("%.10q is no port: 465 is usual for smtps, 587 for smtp", text)
		}
		s.Port = port
	}
	return nil
}

// local says that what is sent does not leave this machine.
func (s *Server) local() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// IsZero reports whether no mail server is set.
func (s Server) IsZero() bool { return s.Host == "" }

// String names the server without its secrets, such as smtps://mail.example.org:465.
func (s Server) String() string {
	switch {
	case s.IsZero():
		return ""
	case s.security == fromStart:
		return "smtps://" + s.address()
	}
	return "smtp://" + s.address()
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
