package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The headers of a post.
const (
	SignatureHeader = "X-MyBeacon-Signature" // t=SECONDS,v1=HEX[,v1=HEX]
	DeliveryHeader  = "X-MyBeacon-Delivery"  // the same at each attempt
	EventHeader     = "X-MyBeacon-Event"     // alerts or test
)

// maxAnswer is how much of an answer is read, only so that the connection ends well.
const maxAnswer = 4 << 10

// Posted is the body of a post.
type Posted struct {
	ID           DeliveryID            `json:"id"`
	Type         string                `json:"type"` // alerts or test
	Organisation schema.OrganisationID `json:"organisation_id"`
	CreatedAt    time.Time             `json:"created_at"`
	Events       []PostedEvent         `json:"events"`
	More         int                   `json:"more"` // events that are counted only: ask the API for them
}

// PostedEvent is one thing that happened.
type PostedEvent struct {
	Event    string            `json:"event"` // raised or ended
	Alert    ID                `json:"alert"`
	Rule     RuleID            `json:"rule"`
	RuleName string            `json:"rule_name"`
	Kind     Kind              `json:"kind"`
	Text     string            `json:"text"` // in English
	Location schema.LocationID `json:"location"`
	Site     string            `json:"location_name"`
	Plan     string            `json:"plan,omitempty"`
	Tag      string            `json:"tag,omitempty"`
	TagName  string            `json:"tag_name,omitempty"`
	TagType  string            `json:"tag_type,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	ZoneName string            `json:"zone_name,omitempty"`
	Receiver string            `json:"receiver,omitempty"`
	Heard    string            `json:"receiver_name,omitempty"`
	BeganAt  time.Time         `json:"began_at"`
	At       time.Time         `json:"at"`
	EndedAt  *time.Time        `json:"ended_at"`
	Value    int               `json:"value"`
	Bound    int               `json:"bound"`
}

func postedOf(i item) PostedEvent {
	e := PostedEvent{
		Event: i.event, Alert: i.ID, Rule: i.Rule, RuleName: i.RuleName, Kind: i.Kind, Text: Sentence(mail.English, i.Alert, i.zone),
		Location: i.Location, Site: i.LocationName, Plan: idText(i.Plan), Tag: idText(i.Tag), TagName: i.TagName, TagType: i.TagType,
		Zone: idText(i.Zone), ZoneName: i.ZoneName, Receiver: idText(i.Receiver), Heard: i.ReceiverName,
		BeganAt: i.BeganAt.UTC(), At: i.At.UTC(), Value: i.Value, Bound: i.Bound,
	}
	if !i.EndedAt.IsZero() {
		at := i.EndedAt.UTC()
		e.EndedAt = &at
	}
	return e
}

func idText[K any](id schema.ID[K]) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// Sign returns the value of the signature's header: a MAC of the time and the body by
// each secret, so that a receiver that knows either is content.
func Sign(at time.Time, body []byte, secrets ...string) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	header := "t=" + seconds
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(seconds + "."))
		mac.Write(body)
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return header
}

// errAnswer is an answer that is no success.
type errAnswer struct{ status int }

// Error implements error.
func (e errAnswer) Error() string {
	if e.status >= 300 && e.status < 400 {
		return fmt.Sprintf("the receiver answered %d: redirects are not followed, enter the address that it leads to", e.status)
	}
	return fmt.Sprintf("the receiver answered %d", e.status)
}

// errLostKey is a fault of the server, for which no receiver is switched off.
var errLostKey = errors.New("the server cannot open the webhook's secret: change the secret")

// post sends one digest to a webhook. What was taken and could not be noted is posted
// again under the same id.
func (s *Service) post(ctx context.Context, args postJob, try jobs.Try) error {
	var d Delivery
	var items []item
	var ready bool
	err := s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) (err error) {
		tx.Unrecorded("telling of an alert")
		d, items, ready, err = s.take(ctx, tx, args.Delivery)
		return err
	})
	if err != nil || !ready {
		return err
	}
	hook, err := s.Webhook(ctx, postgres.In(d.Organisation), d.Webhook)
	switch {
	case schema.KindOf(err) == schema.NotFound:
		return nil
	case err != nil:
		return err
	case !hook.Enabled && !d.Test:
		return s.finish(ctx, d.ID, Refused, 0, "the webhook is switched off")
	}
	if err = s.send(ctx, hook, d, items); err == nil {
		return s.finish(ctx, d.ID, Sent, http.StatusOK, "")
	}
	if errors.Is(err, errLostKey) {
		if !try.Last && !d.Test { // the row says that it waits, and no attempt is counted
			return err
		}
		return errors.Join(s.finish(ctx, d.ID, Failed, 0, errLostKey.Error()), jobs.Stop(err))
	}
	return s.failed(ctx, hook, d, err, try)
}

// send posts the digest once.
func (s *Service) send(ctx context.Context, hook Webhook, d Delivery, items []item) error {
	secrets, err := s.secrets(hook)
	if err != nil {
		return errors.Join(errLostKey, err)
	}
	out := Posted{ID: d.ID, Type: "alerts", Organisation: d.Organisation, CreatedAt: d.CreatedAt.UTC(), Events: []PostedEvent{}, More: d.More}
	if d.Test {
		out.Type = "test"
	}
	for _, i := range items {
		out.Events = append(out.Events, postedOf(i))
	}
	body, err := json.Marshal(out)
	if err != nil {
		panic("BUG: a post cannot be encoded: " + err.Error())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "MyBeacon-Webhook/1")
	req.Header.Set(SignatureHeader, Sign(time.Now(), body, secrets...))
	req.Header.Set(DeliveryHeader, d.ID.String())
	req.Header.Set(EventHeader, out.Type)
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // what it says is nobody's to read
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return errAnswer{resp.StatusCode}
	}
	return nil
}

// secrets are those by which a post is signed now.
func (s *Service) secrets(w Webhook) ([]string, error) {
	secret, err := s.box.open(w.secret, w.ID)
	if err != nil || w.old == nil {
		return []string{secret}, err
	}
	old, err := s.box.open(w.old, w.ID)
	return []string{secret, old}, err
}

// failed notes the attempt and decides about the next one. A receiver that says it is
// gone is not asked again.
func (s *Service) failed(ctx context.Context, hook Webhook, d Delivery, err error, try jobs.Try) error {
	var answer errAnswer
	why := told(err)
	if errors.As(err, &answer) {
		why = answer.Error()
	}
	final := try.Last || d.Test || answer.status == http.StatusGone
	state := Sending
	if final {
		state = Failed
	}
	noted := s.finish(ctx, d.ID, state, answer.status, why)
	if !final {
		return errors.Join(errors.New(why), noted)
	}
	if !d.Test {
		noted = errors.Join(noted, s.switchOff(ctx, hook, d.DueAt, why))
	}
	return errors.Join(noted, jobs.Stop(errors.New(why)))
}

// switchOff ends a webhook that was tried for a day and has taken nothing since the first
// attempt, and tells the Owners.
func (s *Service) switchOff(ctx context.Context, hook Webhook, since time.Time, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	return s.db.Change(ctx, postgres.AllOrganisations(), Topic, func(tx postgres.Tx) error {
		const off = `UPDATE webhook w SET enabled = false, off_why = $2 WHERE w.id = $1 AND w.enabled AND NOT EXISTS
			(SELECT FROM alert_delivery d WHERE d.webhook = w.id AND d.state = 'sent' AND d.finished_at >= $3)`
		done, err := tx.Exec(ctx, off, hook.ID, why, since)
		if err != nil || done.RowsAffected() == 0 {
			tx.Unrecorded("it is off already, or takes others")
			return postgres.Explain(err, "switch a webhook off", nil)
		}
		s.cfg.Log.WarnContext(ctx, "a webhook is switched off", "webhook", hook.ID, "why", why)
		tx.Record(audit.Entry{Organisation: hook.Organisation, Action: audit.Change, Object: hookObject(hook),
			Fields: []audit.Field{{Name: "enabled", Old: "true", New: "false"}, audit.Made("why", why)}})
		return s.tellOwners(ctx, tx, hook, why)
	})
}
