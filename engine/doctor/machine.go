package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"mybeacon/engine/spill"
)

// The bounds of free disk. Below the first the server has no room for an outage of the
// warehouse, below the second PostgreSQL itself stops.
const (
	scarce = 5 << 30
	tooFew = 512 << 20
)

// disk looks at what is left for the data directory and for the spool in it, which may
// be a mount of its own.
func (c Config) disk(context.Context) []Finding {
	list := []Finding{c.directory()}
	for _, place := range []struct{ check, path string }{{"disk", c.Data}, {"disk of the spool", filepath.Join(c.Data, "spill")}} {
		list = append(list, free(place.check, place.path))
	}
	return list
}

func free(check, path string) Finding {
	left, err := spill.Dir(path).Free()
	switch {
	case err != nil:
		return fail(check, "name a directory of this machine with --data", "the free space of %s cannot be read: %v", path, err)
	case left < tooFew:
		return fail(check, "make room, or move the data directory", "%d MiB are left for %s", left>>20, path)
	case left < scarce:
		return warn(check, "make room: batches wait on disk while the warehouse is away", "%d MiB are left for %s", left>>20, path)
	}
	return ok(check, "%d GiB are left for %s", left>>30, path)
}

// directory looks whether the server can write.
func (c Config) directory() Finding {
	const check = "data directory"
	info, err := os.Stat(c.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ok(check, "%s is not there yet: the first start makes it", c.Data)
	case err != nil:
		return fail(check, "let the server's user reach it, or name another with --data", "%v", err)
	case !info.IsDir():
		return fail(check, "name a directory with --data", "%s is a file", c.Data)
	}
	probe, err := os.CreateTemp(c.Data, "doctor-*")
	if err != nil {
		return fail(check, "let the server's user write there: run this command as that user", "%v", err)
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return fail(check, "let the server's user write there", "%v", err)
	}
	return ok(check, "%s can be written", c.Data)
}

// How wrong a clock may be. Devices' times are compared with ours to the second.
const (
	jumped = time.Second
	apart  = 2 * time.Second
)

// clock looks at the time zones and at whether the clock is being set now.
func (c Config) clock(ctx context.Context) []Finding {
	list := []Finding{zones()}
	began := time.Now()
	wait := time.NewTimer(100 * time.Millisecond)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return append(list, steady(began, time.Now()), sane(time.Now()))
}

// steady compares the wall's clock with the one that only counts.
func steady(began, ended time.Time) Finding {
	if drift := ended.Round(0).Sub(began.Round(0)) - ended.Sub(began); drift.Abs() > jumped {
		return warn("clock", "let one service alone set the clock (chrony or systemd-timesyncd)", "it jumped by %v while it was looked at", drift)
	}
	return ok("clock", "it runs steadily")
}

// built is a time that every clock is past.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func sane(now time.Time) Finding {
	if now.Before(built) {
		return fail("date", "set the clock: events would be stored under the wrong time", "it is said to be %s", now.Format(time.DateTime))
	}
	return ok("date", "%s", now.UTC().Format(time.RFC3339))
}

func zones() Finding {
	if _, err := time.LoadLocation("Europe/Moscow"); err != nil {
		return fail("time zones", "install the time zone database (Debian: apt-get install tzdata)", "Europe/Moscow is not known: %v", err)
	}
	return ok("time zones", "they are known")
}

// addresses looks whether the server could listen, or does.
func (c Config) addresses(ctx context.Context) []Finding {
	list := []Finding{c.address(ctx, "address", "--http", c.HTTP)}
	if c.Ops != "off" {
		list = append(list, c.address(ctx, "address of metrics", "--ops", c.Ops))
	}
	return list
}

func (c Config) address(ctx context.Context, check, flag, address string) Finding {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = listener.Close()
		if c.running() {
			return warn(check, "name the same "+flag+" as the server's, or look at its log", "a server runs on %s, but not at %s", c.Data, address)
		}
		return ok(check, "%s is free", address)
	case c.running():
		return ok(check, "the server is at %s", address)
	}
	return fail(check, "stop what uses it, or name another address with "+flag, "%v", err)
}

// base looks at where links and cookies lead.
func (c Config) base(context.Context) []Finding {
	const check = "base URL"
	host, _, err := net.SplitHostPort(c.HTTP)
	open := err == nil && !loopback(host)
	if c.BaseURL == "" {
		if open {
			return []Finding{warn(check, "set MYBEACON_BASE_URL to the https address that people use", "none is set, and %s is open to others", c.HTTP)}
		}
		return []Finding{ok(check, "none is set: the server is for this machine alone")}
	}
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return []Finding{fail(check, "write it as in https://beacon.example.org", "%q is no address", c.BaseURL)}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return []Finding{warn(check, "put the server behind https: passwords and sessions go over the network", "%s is not encrypted", c.BaseURL)}
	}
	return []Finding{ok(check, "%s", c.BaseURL)}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// mail logs in to the mail server, as for a mail.
func (c Config) mail(ctx context.Context) []Finding {
	const check = "mail"
	if c.Mail == nil {
		return []Finding{warn(check, "set MYBEACON_SMTP and MYBEACON_MAIL_FROM, or give people their links from the outbox", "no mail server is set: mails are kept in the outbox")}
	}
	if err := c.Mail.Probe(ctx); err != nil {
		return []Finding{fail(check, "look at MYBEACON_SMTP: host, port, encryption, user and password", "%s: %v", c.Mail.Server, err)}
	}
	return []Finding{ok(check, "%s takes mails from %s", c.Mail.Server, c.Mail.From.Address)}
}
