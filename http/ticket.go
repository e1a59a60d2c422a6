package http

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

const (
	ticketLife = 30 * time.Second
	// maxTickets bounds the tickets that wait to be used, some 2 MB.
	maxTickets = 10_000
)

// tickets lets a page open a socket without its cookie or token in the address,
// where logs and proxies would keep it: a ticket works once and for 30 seconds.
// It is safe for concurrent use.
type tickets struct {
	mu     sync.Mutex
	issued map[[sha256.Size]byte]ticket // by hash: looking one up tells nothing about others
	order  [][sha256.Size]byte          // in order of issue and so of expiry; taken ones stay until then
}

type ticket struct {
	principal Principal
	expires   time.Time
}

func newTickets() *tickets { return &tickets{issued: map[[sha256.Size]byte]ticket{}} }

// issue returns a new ticket of the principal, or TooMany.
func (t *tickets) issue(now time.Time, p Principal) (string, error) {
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	text := hex.EncodeToString(secret[:])
	key := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	if len(t.order) >= maxTickets {
		return "", &schema.Error{Kind: schema.TooMany, Message: "too many tickets are waiting to be used", Err: tooSoon(ticketLife)}
	}
	t.issued[key] = ticket{principal: p, expires: now.Add(ticketLife)}
	t.order = append(t.order, key)
	return text, nil
}

// take returns whose ticket it is; a second take finds nothing.
func (t *tickets) take(now time.Time, text string) (Principal, bool) {
	key := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.issued[key]
	delete(t.issued, key)
	return found.principal, ok && now.Before(found.expires)
}

func (t *tickets) expire(now time.Time) {
	n := 0
	for ; n < len(t.order); n++ {
		if found, waiting := t.issued[t.order[n]]; waiting {
			if now.Before(found.expires) {
				break
			}
			delete(t.issued, t.order[n])
		}
	}
	if n == 0 {
		return
	}
	// Copied down, or the front of the array would never be freed.
	t.order = append(t.order[:0], t.order[n:]...)
}

type ticketOutput struct {
	Body struct {
		Ticket    string `json:"ticket" doc:"For ?ticket= of GET /api/v1/live; works once"`
		ExpiresIn int    `json:"expires_in" doc:"Seconds"`
	}
}

func (s *Server) registerTickets() {
	Route(s, May(access.Watch), huma.Operation{
		OperationID: "create-live-ticket", Method: http.MethodPost, Path: "/api/v1/live/ticket", Tags: []string{"live"},
		Summary: "Make a ticket for the live socket", DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, _ *struct{}) (*ticketOutput, error) {
		text, err := s.tickets.issue(time.Now(), PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		out := &ticketOutput{}
		out.Body.Ticket, out.Body.ExpiresIn = text, int(ticketLife.Seconds())
		return out, nil
	})
}

// TakeTicket returns whose ticket it is, or Unauthorized; it works once, and
// only while what its owner logged in with does.
func (s *Server) TakeTicket(ctx context.Context, text string) (Principal, error) {
	p, ok := s.tickets.take(time.Now(), text)
	if !ok {
		return Principal{}, schema.Errorf(schema.Unauthorized, "ticket", "is unknown, used or older than 30 seconds; get a new one")
	}
	return p.proof(ctx)
}
