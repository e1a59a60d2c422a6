package alert

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Config of the alerts of one process.
type Config struct {
	DB   *postgres.DB
	Jobs *jobs.Jobs
	Mail *mail.Queue
	Log  *slog.Logger
	Key  []byte // 32 bytes by which the secrets of webhooks are sealed
	// AllowPrivate lets webhooks lead into private networks and to this machine.
	AllowPrivate bool
	Roots        *x509.CertPool // whose certificates receivers have; nil: the system's
	Resolver     *net.Resolver  // nil: the system's
	// Pause is how long to wait after a post has failed, counted from 1; nil: [Pause].
	Pause func(attempt int) time.Duration
	// Gather is how long at least there is between two digests for one recipient.
	// nil: a minute by mail, five seconds to a webhook.
	Gather func(channel string) time.Duration
}

// attempts is how often a post is tried: for a day, see [Pause].
const attempts = 13

// Pause returns how long to wait after a failed post, counted from 1: half a minute,
// twice as long each time, four hours at most, give or take a tenth. Thirteen attempts
// take a day.
func Pause(attempt int) time.Duration {
	const longest = 4 * time.Hour
	pause := longest
	if attempt < 10 {
		pause = min(30*time.Second<<max(attempt-1, 0), longest)
	}
	return pause*9/10 + rand.N(pause/5)
}

func gather(channel string) time.Duration {
	if channel == Mail {
		return time.Minute
	}
	return 5 * time.Second
}

// Service keeps rules and alerts, and tells people.
type Service struct {
	*Store
	cfg    Config
	client *http.Client
}

// New returns the service, and registers its kinds of jobs.
func New(cfg Config) (*Service, error) {
	if cfg.DB == nil || cfg.Jobs == nil || cfg.Mail == nil || cfg.Log == nil {
		return nil, errors.New("alert: Config.DB, Jobs, Mail or Log is missing")
	}
	if cfg.Pause == nil {
		cfg.Pause = Pause
	}
	if cfg.Gather == nil {
		cfg.Gather = gather
	}
	store, err := NewStore(cfg.DB, cfg.Key)
	if err != nil {
		return nil, err
	}
	store.plain = cfg.AllowPrivate
	s := &Service{Store: store, cfg: cfg, client: newClient(&cfg)}
	jobs.Register(cfg.Jobs, jobs.Kind[mailJob]{Queue: jobs.MailQueue, Attempts: attempts, Pause: cfg.Pause, Do: s.sendMail})
	jobs.Register(cfg.Jobs, jobs.Kind[postJob]{Queue: jobs.WebhookQueue, Attempts: attempts, Pause: cfg.Pause, Do: s.post})
	return s, nil
}

// tested is what the log says of a test: it changes nothing, and reaches people.
func tested() []audit.Field { return []audit.Field{audit.Made("test", "sent")} }

// TestWebhook has a test posted to the webhook.
func (s *Service) TestWebhook(ctx context.Context, scope postgres.Scope, id WebhookID) (Delivery, error) {
	w, err := s.Webhook(ctx, scope, id)
	if err != nil {
		return Delivery{}, err
	}
	d := digest{org: w.Organisation, channel: Hook, webhook: id, test: true}
	err = s.db.Change(ctx, scope, "alerts", func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Organisation: w.Organisation, Action: audit.Change, Object: hookObject(w), Fields: tested()})
		return s.begin(ctx, tx, &d, time.Now())
	})
	if err != nil {
		return Delivery{}, err
	}
	found, err := postgres.Collect(ctx, s.db.In(scope), scanDelivery, selectDelivery+" WHERE d.id = $1", d.id)
	if err == nil && len(found) == 0 {
		err = schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	if err != nil {
		return Delivery{}, err
	}
	return found[0], nil
}

// TestRule sends a test to all who are told by the rule, and returns how many.
func (s *Service) TestRule(ctx context.Context, scope postgres.Scope, id RuleID) (emails, hooks int, err error) {
	err = s.db.Change(ctx, scope, "alerts", func(tx postgres.Tx) error {
		r, err := s.lockRule(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		tx.Record(audit.Entry{Organisation: r.Organisation, Action: audit.Change, Object: ruleObject(r), Fields: tested()})
		emails, hooks = len(r.Notify.Emails), len(r.Notify.Webhooks)
		now := time.Now()
		for _, to := range r.Notify.Emails {
			d := digest{org: r.Organisation, channel: Mail, recipient: to, test: true, why: r.Name}
			if err := s.begin(ctx, tx, &d, now); err != nil {
				return err
			}
		}
		for _, hook := range r.Notify.Webhooks {
			d := digest{org: r.Organisation, channel: Hook, webhook: hook, test: true}
			if err := s.begin(ctx, tx, &d, now); err != nil {
				return err
			}
		}
		return nil
	})
	return emails, hooks, err
}
