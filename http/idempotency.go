package http

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// A POST with an Idempotency-Key is done once: the key is taken before the handler
// runs, the change itself notes in its own transaction that it is done, and the
// answer is kept for a day. A server that is killed leaves the key either done or
// free again two minutes later, never with a change that would be repeated - unless a
// handler makes several changes, of which the first counts.
//
// The kept answer is sealed with the key that the client chose, of which only a
// digest is stored. Answers with a secret that is shown once are not kept at all.

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotency-Replayed"
	maxIdempotencyKey = 255
	// maxKept bounds a kept answer.
	maxKept = 64 << 10
	// finishTimeout bounds what is still to be noted when the client has gone.
	finishTimeout = 5 * time.Second
)

// idempotently runs the request once per key of the caller.
func (s *Server) idempotently(h *held, r *http.Request, run func(http.ResponseWriter, *http.Request)) {
	p, known := r.Context().Value(principalKey{}).(Principal)
	keys := r.Header.Values(idempotencyHeader)
	if len(keys) == 0 || !known { // of nobody, it would be everybody's
		run(h, r)
		return
	}
	if err := checkKey(keys); err != nil {
		s.WriteError(h, r, err)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		s.WriteError(h, r, &schema.Error{Kind: schema.Invalid, Message: "the request's body could not be read", Err: err})
		return
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	if len(body) > maxBody { // an upload; or the handler says how long it may be
		run(h, r)
		return
	}
	attempt := attemptOf(p, r, keys[0], body)
	earlier, err := s.db.BeginAttempt(r.Context(), attempt)
	switch {
	case err != nil:
		s.WriteError(h, r, err)
	case earlier != nil:
		s.replay(h, r, keys[0], attempt, earlier)
	default:
		s.attempt(h, r, keys[0], attempt, run)
	}
}

func checkKey(keys []string) error {
	plain := func(c rune) bool { return c < '!' || c > '~' }
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > maxIdempotencyKey || strings.ContainsFunc(keys[0], plain) {
		return schema.Errorf(schema.Invalid, idempotencyHeader, "is one text of 1 to %d visible ASCII characters, such as a random UUID", maxIdempotencyKey)
	}
	return nil
}

func attemptOf(p Principal, r *http.Request, key string, body []byte) *postgres.Attempt {
	caller := p.Caller() + "\x00" + p.Rights.Organisation.String()
	return &postgres.Attempt{
		Caller: sha256.Sum256([]byte(caller)),
		Key:    sha256.Sum256([]byte(caller + "\x00" + r.Method + " " + r.URL.RequestURI() + "\x00" + key)),
		Body:   sha256.Sum256(body),
	}
}

// Caller names the principal among callers: a person with all his sessions and
// tokens, an API key, or all who came by one link.
func (p Principal) Caller() string {
	switch {
	case !p.Share.IsZero():
		return "link " + p.Share.String()
	case p.Rights.Key:
		return "key " + p.Key.String()
	}
	return "user " + p.ID.String()
}

// attempt runs the request as the one that has the key.
func (s *Server) attempt(h *held, r *http.Request, key string, a *postgres.Attempt, run func(http.ResponseWriter, *http.Request)) {
	done := false
	defer func() {
		if !done { // it panicked: what was not committed may be tried again
			s.finish(r, a, nil, false)
		}
	}()
	ctx := postgres.AtChange(r.Context(), func(ctx context.Context, tx postgres.Tx) error { return s.db.DoneAttempt(ctx, tx, a) })
	run(h, r.WithContext(ctx))
	done = true
	if h.status < 200 || h.status > 299 {
		s.finish(r, a, nil, false)
		return
	}
	s.finish(r, a, seal(key, a, h), true)
}

func (s *Server) finish(r *http.Request, a *postgres.Attempt, answer []byte, keep bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTimeout)
	defer cancel()
	var err error
	if keep {
		err = s.db.FinishAttempt(ctx, a, answer)
	} else {
		err = s.db.ReleaseAttempt(ctx, a)
	}
	if err != nil { // the change is what counts, and it is noted
		s.log.WarnContext(ctx, "an idempotency key could not be finished", "request", requestID(ctx), "error", err)
	}
}

// replay answers a request whose key an earlier one has.
func (s *Server) replay(h *held, r *http.Request, key string, a *postgres.Attempt, earlier *postgres.Earlier) {
	conflict := func(format string, args ...any) {
		e := schema.Errorf(schema.Conflict, idempotencyHeader, format, args...)
		if !earlier.Done {
			e.Err = tooSoon(time.Second)
		}
		s.WriteError(h, r, e)
	}
	switch {
	case earlier.OtherBody:
		conflict("was used for a request with another body; take a new one")
	case !earlier.Done:
		conflict("is that of a request that is still running; ask again")
	case len(earlier.Answer) == 0:
		conflict("this was done already; its answer is not kept, and a secret in it is not shown again")
	default:
		kept, err := unseal(key, a, earlier.Answer)
		if err != nil {
			s.WriteError(h, r, err)
			return
		}
		for name, values := range kept.Header {
			h.header[name] = values
		}
		h.header.Set(replayedHeader, "true")
		h.WriteHeader(kept.Status)
		_, _ = h.Write(kept.Body) // held in memory
	}
}

// kept is an answer as it is stored.
type kept struct {
	Status int
	Header http.Header
	Body   []byte
}

// keptHeaders are what of an answer is its own and not this request's.
var keptHeaders = []string{"Content-Type", "Location", "Link", "Etag", "Deprecation", "Sunset"}

// seal returns the answer as it is stored, nil when it must not be.
func seal(key string, a *postgres.Attempt, h *held) []byte {
	if h.passed || h.body.Len() > maxKept || h.header.Get("Set-Cookie") != "" || holdsSecret(h.body.Bytes()) {
		return nil
	}
	k := kept{Status: h.status, Header: http.Header{}, Body: h.body.Bytes()}
	for _, name := range keptHeaders {
		if values := h.header.Values(name); len(values) > 0 {
			k.Header[name] = values
		}
	}
	plain, err := json.Marshal(k)
	if err != nil {
		panic("BUG: an answer cannot be stored: " + err.Error())
	}
	box := boxOf(key, a)
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return box.Seal(nonce, nonce, plain, nil)
}

func unseal(key string, a *postgres.Attempt, sealed []byte) (kept, error) {
	var k kept
	box := boxOf(key, a)
	if len(sealed) < box.NonceSize() {
		return k, io.ErrUnexpectedEOF
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], nil)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(plain, &k)
}

// boxOf returns what seals the answers of the key.
func boxOf(key string, a *postgres.Attempt) cipher.AEAD {
	secret, err := hkdf.Key(sha256.New, []byte(key), a.Key[:], "mybeacon idempotency answer", 32)
	if err == nil {
		var block cipher.Block
		if block, err = aes.NewCipher(secret); err == nil {
			var box cipher.AEAD
			if box, err = cipher.NewGCM(block); err == nil {
				return box
			}
		}
	}
	panic("BUG: " + err.Error())
}

// secretFields are the names of what answers show once.
var secretFields = []string{"token", "key", "secret", "password", "ticket", "code", "codes", "recovery_codes", "uri", "qr"}

// holdsSecret reports whether a JSON body has a field that is shown once.
func holdsSecret(body []byte) bool {
	var value any
	if len(body) == 0 || json.Unmarshal(body, &value) != nil {
		return false
	}
	return secretIn(value)
}

func secretIn(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if slices.Contains(secretFields, name) && inner != nil && inner != "" || secretIn(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, secretIn)
	}
	return false
}
