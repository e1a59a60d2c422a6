package alert_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/alert"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// got is one post as a receiver saw it.
type got struct {
	header http.Header
	body   []byte
}

// receiver answers posts with the statuses in turn, the last one for ever.
func receiver(t *testing.T, statuses ...int) (url string, posts chan got) {
	t.Helper()
	posts = make(chan got, 100)
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		i := min(int(n.Add(1)), len(statuses)) - 1
		if statuses[i] == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(statuses[i])
		_, _ = io.WriteString(w, strings.Repeat("<secret>", 10_000))
		posts <- got{r.Header, body}
	}))
	t.Cleanup(s.Close)
	return s.URL, posts
}

// work does jobs until the test ends.
func (w *world) work() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.jobs.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (w *world) hook(url string) (alert.Webhook, string) {
	w.t.Helper()
	h, secret, err := w.CreateWebhook(w.t.Context(), alert.Webhook{Organisation: w.org.ID, Name: "hook", URL: url})
	if err != nil {
		w.t.Fatal(err)
	}
	return h, secret
}

// delivered waits until the webhook's only delivery is over.
func (w *world) delivered(id alert.WebhookID) alert.Delivery {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		list, _, err := w.Deliveries(ctx, w.scope(), id, postgres.Page{})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(list) > 0 && !list[0].FinishedAt.IsZero() {
			return list[0]
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("not delivered: %+v", list)
		case <-tick.C:
		}
	}
}

// Posts are signed with the secret, while it is changed with both, and repeated under one
// id until they are taken.
func TestPost(t *testing.T) {
	w := newWorld(t, nil)
	url, posts := receiver(t, 500, 200)
	h, secret := w.hook(url)
	w.rule(alert.Enter, func(r *alert.Rule) { r.Notify.Webhooks = []alert.WebhookID{h.ID} })
	_, rotated, err := w.ChangeWebhook(t.Context(), w.scope(), h.ID, alert.HookChange{Rotate: true})
	if err != nil || rotated == "" || rotated == secret {
		t.Fatalf("%q, %v", rotated, err)
	}
	w.work()
	r, at := w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID](), at, time.Time{})
	r.want("entered", 1, 0)
	first, second := <-posts, <-posts
	if a, b := first.header.Get(alert.DeliveryHeader), second.header.Get(alert.DeliveryHeader); a == "" || a != b {
		t.Errorf("deliveries %q and %q", a, b)
	}
	signature := second.header.Get(alert.SignatureHeader)
	seconds, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	var unix int64
	if err := json.Unmarshal([]byte(seconds), &unix); err != nil {
		t.Fatalf("%q: %v", signature, err)
	}
	if want := alert.Sign(time.Unix(unix, 0), second.body, rotated, secret); signature != want || time.Since(time.Unix(unix, 0)) > time.Minute {
		t.Errorf("signed %q, want %q", signature, want)
	}
	var body alert.Posted
	if err := json.Unmarshal(second.body, &body); err != nil || len(body.Events) != 1 || body.Events[0].Kind != alert.Enter || body.Type != "alerts" {
		t.Errorf("%s, %v", second.body, err)
	}
	if d := w.delivered(h.ID); d.State != alert.Sent || d.Attempts != 2 {
		t.Errorf("%+v", d)
	}
}

// A receiver that never takes anything is switched off, and the Owners are told. What it
// answers is never kept, and where it leads to is not followed.
func TestGivenUp(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.db.CreateAccount(t.Context(), postgres.Account{Organisation: w.org.ID, Email: "owner@example.com", Role: "owner"}, "hash"); err != nil {
		t.Fatal(err)
	}
	url, posts := receiver(t, http.StatusFound)
	h, _ := w.hook(url)
	w.rule(alert.Enter, func(r *alert.Rule) { r.Notify.Webhooks = []alert.WebhookID{h.ID} })
	w.work()
	r, at := w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID](), at, time.Time{})
	d := w.delivered(h.ID)
	if d.State != alert.Failed || d.Status != http.StatusFound || !strings.Contains(d.Error, "redirects are not followed") || strings.Contains(d.Error, "secret") {
		t.Errorf("%+v", d)
	}
	if len(posts) != d.Attempts || d.Attempts != 13 {
		t.Errorf("%d posts, %d attempts", len(posts), d.Attempts)
	}
	w.await(func() bool {
		off, err := w.Webhook(t.Context(), w.scope(), h.ID)
		mails, _, err2 := w.db.Mails(t.Context(), postgres.MailFilter{}, postgres.Page{})
		return err == nil && err2 == nil && !off.Enabled && off.OffWhy != "" && len(mails) == 1 && mails[0].To == "owner@example.com"
	})
}

// await waits for a condition of the stores.
func (w *world) await(is func() bool) {
	w.t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			w.t.Fatal("it did not come to be")
		case <-tick.C:
		}
	}
}

// A name that led to a public address when somebody looked, and leads to this machine
// when it is connected to, is not posted to.
func TestRebinding(t *testing.T) {
	url, posts := receiver(t, 200)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	resolver := rebinding(t, netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("127.0.0.1"))
	w := newWorld(t, func(c *alert.Config) { c.AllowPrivate, c.Resolver = false, resolver })
	if seen, err := resolver.LookupNetIP(t.Context(), "ip4", "hook.example.org"); err != nil || len(seen) != 1 || !alert.Public(seen[0]) {
		t.Fatalf("%v, %v", seen, err)
	}
	h, _ := w.hook("https://hook.example.org:" + port)
	w.work()
	if _, err := w.TestWebhook(t.Context(), w.scope(), h.ID); err != nil {
		t.Fatal(err)
	}
	if d := w.delivered(h.ID); d.State != alert.Failed || !strings.Contains(d.Error, "leads to no public address") || strings.Contains(d.Error, "127.") || !d.Test {
		t.Errorf("%+v", d)
	}
	if len(posts) != 0 {
		t.Error("it was posted")
	}
	if again, err := w.Webhook(t.Context(), w.scope(), h.ID); err != nil || !again.Enabled {
		t.Errorf("a failed test switches nothing off: %+v, %v", again, err)
	}
}

// rebinding is a name server that answers the first question with the first address, and
// all others with the second.
func rebinding(t *testing.T, first, then netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var asked atomic.Int32
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			end := 12 // of the question's name
			for end < n && buffer[end] != 0 {
				end += 1 + int(buffer[end])
			}
			if end += 5; end > n {
				continue
			}
			answer := append([]byte(nil), buffer[:end]...)
			binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer without an error
			copy(answer[6:], make([]byte, 6))
			if binary.BigEndian.Uint16(answer[end-4:]) == 1 { // for an A record
				at := then
				if asked.Add(1) == 1 {
					at = first
				}
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4) // the name, A, IN, no time to live
				answer = append(answer, at.AsSlice()...)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// Addresses of private networks, of this machine, of clouds' own services, and forms in
// which an IPv4 address hides, are none to post to.
func TestPublic(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.100.100.200", "168.63.129.16", "224.0.0.1",
		"255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "ff02::1",
	} {
		if alert.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{"93.184.216.34", "8.8.8.8", "2606:4700:4700::1111"} {
		if !alert.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
}

// An evacuation is told in one mail a minute and recipient, which counts what it does not
// list; nobody is told who may not see the location.
func TestDigest(t *testing.T) {
	w := newWorld(t, nil)
	for _, email := range []string{"a@example.com", "b@example.com"} {
		if _, err := w.db.CreateAccount(t.Context(), postgres.Account{Organisation: w.org.ID, Email: email, Role: "manager"}, "hash"); err != nil {
			t.Fatal(err)
		}
	}
	other := postgrestest.Organisation(t, w.db, "Other", "ble")
	if _, err := w.db.CreateAccount(t.Context(), postgres.Account{Organisation: other.ID, Email: "spy@example.com", Role: "owner"}, "hash"); err != nil {
		t.Fatal(err)
	}
	spied := alert.Rule{Name: "r", Enabled: true, Condition: alert.Condition{Kind: alert.Enter, Location: w.site.ID}, Notify: alert.Notify{Emails: []string{"spy@example.com"}}}
	if _, err := w.CreateRule(t.Context(), w.scope(), spied); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "notify.emails[0]") {
		t.Errorf("a stranger's address: %v", err)
	}
	w.rule(alert.Enter, func(r *alert.Rule) { r.Notify.Emails = []string{"a@example.com", "B@example.com"} })
	if _, err := w.db.Pool().Exec(t.Context(), `UPDATE account SET disabled = true WHERE email = 'b@example.com'`); err != nil {
		t.Fatal(err)
	}
	r, at := w.run(newSite()), soon()
	const crowd = 300
	zone := schema.NewID[schema.ZoneID]()
	for range crowd {
		r.visit(schema.NewID[schema.TagID](), zone, at, time.Time{})
	}
	if err := r.engine.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.await(func() bool {
		mails, _, err := w.db.Mails(t.Context(), postgres.MailFilter{}, postgres.Page{})
		return err == nil && len(mails) == 1 && mails[0].To == "a@example.com" && mails[0].Data["more"] == "299"
	})
	c, err := w.Count(t.Context(), w.scope(), alert.Filter{})
	if err != nil || c.Open != crowd || c.Newest.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
}

// A muted rule tells nobody and keeps what happened.
func TestMuted(t *testing.T) {
	w := newWorld(t, nil)
	h, _ := w.hook("https://example.org/")
	w.rule(alert.Enter, func(r *alert.Rule) {
		r.Notify.Webhooks, r.MutedUntil = []alert.WebhookID{h.ID}, time.Now().Add(time.Hour)
	})
	r, at := w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID](), at, time.Time{})
	found := r.want("entered", 1, 0)
	list, _, err := w.Deliveries(t.Context(), w.scope(), h.ID, postgres.Page{})
	if err != nil || len(list) != 0 || !found[0].Muted {
		t.Errorf("%+v, %v, %+v", list, err, found[0])
	}
	if c, err := w.Count(t.Context(), w.scope(), alert.Filter{}); err != nil || c.Open != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Without leave to reach private networks posts are encrypted.
func TestEncrypted(t *testing.T) {
	w := newWorld(t, func(c *alert.Config) { c.AllowPrivate = false })
	_, _, err := w.CreateWebhook(t.Context(), alert.Webhook{Organisation: w.org.ID, Name: "plain", URL: "http://example.org"})
	if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "https") {
		t.Errorf("%v", err)
	}
	h, _ := w.hook("https://example.org")
	plain := "http://example.org"
	if _, _, err := w.ChangeWebhook(t.Context(), w.scope(), h.ID, alert.HookChange{URL: &plain}); schema.KindOf(err) != schema.Invalid {
		t.Errorf("%v", err)
	}
}

// A webhook that has taken something since the first attempt stays on.
func TestTakesOthers(t *testing.T) {
	w := newWorld(t, nil)
	url, _ := receiver(t, 500)
	h, _ := w.hook(url)
	w.rule(alert.Enter, func(r *alert.Rule) { r.Notify.Webhooks = []alert.WebhookID{h.ID} })
	r, at := w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID](), at, time.Time{})
	r.want("entered", 1, 0)
	const taken = `INSERT INTO alert_delivery (id, org, channel, webhook, state, created_at, due_at, finished_at)
		VALUES (gen_random_uuid(), $1, 'webhook', $2, 'sent', now() - interval '1 hour', now() - interval '1 hour', now() + interval '1 second')`
	if _, err := w.db.Pool().Exec(t.Context(), taken, w.org.ID, h.ID); err != nil {
		t.Fatal(err)
	}
	w.work()
	if d := w.delivered(h.ID); d.State != alert.Failed {
		t.Errorf("%+v", d)
	}
	w.jobsDone()
	if h, err := w.Webhook(t.Context(), w.scope(), h.ID); err != nil || !h.Enabled {
		t.Errorf("%+v, %v", h, err)
	}
}

// jobsDone waits until no job of a post is left to do.
func (w *world) jobsDone() {
	w.t.Helper()
	w.await(func() bool {
		var n int
		err := w.db.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM `+postgres.JobSchema+`.river_job WHERE kind = 'alert_post' AND finalized_at IS NULL`).Scan(&n)
		return err == nil && n == 0
	})
}

// A server that has lost the key blames no receiver.
func TestLostKey(t *testing.T) {
	w := newWorld(t, nil)
	url, posts := receiver(t, 200)
	h, _ := w.hook(url)
	w.rule(alert.Enter, func(r *alert.Rule) { r.Notify.Webhooks = []alert.WebhookID{h.ID} })
	w.open(func(c *alert.Config) { c.Key = []byte(strings.Repeat("x", 32)) })
	r, at := w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID](), at, time.Time{})
	r.want("entered", 1, 0)
	w.work()
	if d := w.delivered(h.ID); d.State != alert.Failed || d.Attempts != 1 || !strings.Contains(d.Error, "change the secret") {
		t.Errorf("%+v", d)
	}
	w.jobsDone()
	if h, err := w.Webhook(t.Context(), w.scope(), h.ID); err != nil || !h.Enabled || len(posts) != 0 {
		t.Errorf("%+v, %v, %d posts", h, err, len(posts))
	}
}
