package alert

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Topic is announced when rules or webhooks change.
const Topic = "alert"

// Store keeps rules, alerts, webhooks and deliveries in PostgreSQL.
type Store struct {
	db  *postgres.DB
	box *box // seals the webhooks' secrets; nil: there is no key

	plain bool // webhooks may be without TLS
}

// NewStore returns the store. key is 32 bytes that are not in the database, by which
// the secrets of webhooks are sealed; without it there are no webhooks.
func NewStore(db *postgres.DB, key []byte) (*Store, error) {
	sealed, err := newBox(key)
	return &Store{db: db, box: sealed}, err
}

var ruleConstraints = postgres.Constraints{
	"alert_rule_org_location_fkey": schema.Errorf(schema.NotFound, "condition.location", "there is no such location"),
}

const selectRule = `SELECT r.id, r.org, r.name, r.enabled, r.kind, r.location, r.zones, r.tags, r.types, r.receivers,
	r.after_s, r.most, r.below_percent, r.schedule, r.console, r.emails, r.webhooks, r.muted_until, r.since,
	r.created_by, r.created_at, l.name, l.time_zone FROM alert_rule r JOIN location l ON l.id = r.location`

func scanRule(row pgx.CollectableRow) (Rule, error) {
	var r Rule
	var schedule []byte
	var after int
	var muted *time.Time
	err := row.Scan(&r.ID, &r.Organisation, &r.Name, &r.Enabled, &r.Kind, &r.Location, &r.Zones, &r.Tags, &r.Types, &r.Receivers,
		&after, &r.Most, &r.Below, &schedule, &r.Notify.Console, &r.Notify.Emails, &r.Notify.Webhooks, &muted, &r.Since,
		&r.CreatedBy, &r.CreatedAt, &r.LocationName, &r.TimeZone)
	if err != nil {
		return r, err
	}
	r.After = time.Duration(after) * time.Second
	if muted != nil {
		r.MutedUntil = *muted
	}
	if schedule == nil {
		return r, nil
	}
	r.Schedule = &Schedule{}
	if err := json.Unmarshal(schedule, r.Schedule); err != nil {
		return r, err
	}
	return r, r.ready()
}

// ready makes the schedule ready, by the clocks of the location unless it says which.
func (r *Rule) ready() error {
	if r.Schedule == nil {
		return nil
	}
	if err := r.Schedule.validate(); err != nil || r.Schedule.TimeZone != "" {
		return err
	}
	return r.Schedule.locate(r.TimeZone)
}

func rules() postgres.List[Rule] {
	return postgres.List[Rule]{
		Select: selectRule, Key: "r.name", Cast: "text", ID: "r.id", Scan: scanRule,
		At: func(r Rule) postgres.Cursor { return postgres.Cursor{Key: r.Name, ID: r.ID.String()} },
	}
}

// RuleFilter narrows a list; zero fields admit all.
type RuleFilter struct{ Location schema.LocationID }

// Rules returns a page of the rules in scope, by name.
func (s *Store) Rules(ctx context.Context, scope postgres.Scope, filter RuleFilter, page postgres.Page) ([]Rule, postgres.Cursor, error) {
	where := ruleScope(scope)
	if !filter.Location.IsZero() {
		where.Add("r.location = ?", filter.Location)
	}
	return rules().Read(ctx, s.db.In(scope), where, page)
}

// Rule returns one rule, or NotFound.
func (s *Store) Rule(ctx context.Context, scope postgres.Scope, id RuleID) (Rule, error) {
	where := ruleScope(scope)
	where.Add("r.id = ?", id)
	return rules().One(ctx, s.db.In(scope), where)
}

func ruleScope(scope postgres.Scope) *postgres.Where {
	var where postgres.Where
	where.Scope("r.org", scope)
	where.Location("r.location", scope)
	return &where
}

// activeRules returns all rules that are looked at.
func (s *Store) activeRules(ctx context.Context) ([]Rule, error) {
	return postgres.Collect(ctx, s.db.In(postgres.AllOrganisations()), scanRule, selectRule+" WHERE r.enabled ORDER BY r.id")
}

// CreateRule stores a new rule under a fresh id.
func (s *Store) CreateRule(ctx context.Context, scope postgres.Scope, r Rule) (Rule, error) {
	r.ID = schema.NewID[RuleID]()
	err := s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		if err := s.prepare(ctx, tx, scope, &r); err != nil {
			return err
		}
		if err := oneAtATime(ctx, tx, r.Organisation); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM alert_rule WHERE org = $1`, r.Organisation).Scan(&n); err != nil {
			return err
		}
		if n >= maxRules {
			return schema.Errorf(schema.TooLarge, "", "the organisation has %d rules, which is the most: join some, a rule may name many zones and tags", n)
		}
		tx.Record(audit.Entry{Organisation: r.Organisation, Action: audit.Create, Object: ruleObject(r), Fields: changesOf(Rule{}, r)})
		const insert = `INSERT INTO alert_rule (name, enabled, kind, location, zones, tags, types, receivers, after_s, most, below_percent,
			schedule, console, emails, webhooks, muted_until, id, org, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
		_, err := tx.Exec(ctx, insert, append(r.values(), r.ID, r.Organisation, r.CreatedBy)...)
		return postgres.Explain(err, "insert rule", ruleConstraints)
	})
	if err != nil {
		return r, err
	}
	return s.Rule(ctx, scope, r.ID)
}

// oneAtATime lets nobody else add to the organisation's rules and webhooks until the
// transaction ends: those that are counted would not be all.
func oneAtATime(ctx context.Context, tx postgres.Tx, organisation schema.OrganisationID) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('mybeacon alerts ' || $1::text, 0))`, organisation.String())
	return postgres.Explain(err, "wait for the turn", nil)
}

// values are the columns that people set, in the order of the statements.
func (r *Rule) values() []any {
	var schedule any
	if r.Schedule != nil {
		schedule = r.Schedule
	}
	return []any{
		r.Name, r.Enabled, r.Kind, r.Location, orEmpty(r.Zones), orEmpty(r.Tags), orEmpty(r.Types), orEmpty(r.Receivers),
		int(r.After.Seconds()), r.Most, r.Below, schedule, r.Notify.Console, orEmpty(r.Notify.Emails), orEmpty(r.Notify.Webhooks), nullable(r.MutedUntil),
	}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ChangeRule lets change alter the rule as it is now and stores the result. What is
// looked at begins anew with it when the condition is another one.
func (s *Store) ChangeRule(ctx context.Context, scope postgres.Scope, id RuleID, change func(*Rule) error) (Rule, error) {
	err := s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		old, err := s.lockRule(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		now := old
		if err := change(&now); err != nil {
			return err
		}
		if err := s.prepare(ctx, tx, scope, &now); err != nil {
			return err
		}
		tx.Record(audit.Entry{Organisation: now.Organisation, Action: audit.Change, Object: ruleObject(now), Fields: changesOf(old, now)})
		if anew(old, now) {
			// What was raised for the condition as it was is over: its cause is not looked at any more.
			if err := endOf(ctx, tx, id); err != nil {
				return err
			}
		}
		const update = `UPDATE alert_rule SET name = $1, enabled = $2, kind = $3, location = $4, zones = $5, tags = $6, types = $7, receivers = $8,
			after_s = $9, most = $10, below_percent = $11, schedule = $12, console = $13, emails = $14, webhooks = $15, muted_until = $16,
			since = CASE WHEN $18 THEN now() ELSE since END WHERE id = $17`
		_, err = tx.Exec(ctx, update, append(now.values(), id, anew(old, now))...)
		return postgres.Explain(err, "change rule", ruleConstraints)
	})
	if err != nil {
		return Rule{}, err
	}
	return s.Rule(ctx, scope, id)
}

// anew reports whether the rule looks at something else than before.
func anew(old, now Rule) bool {
	return old.Enabled != now.Enabled || !old.Condition.same(now.Condition)
}

// same reports whether what was found out by the rule before holds for it still.
func (r *Rule) same(old *Rule) bool {
	return r.Since.Equal(old.Since) && r.Condition.same(old.Condition)
}

func (c Condition) same(d Condition) bool {
	return c.Kind == d.Kind && c.Location == d.Location && c.After == d.After && c.Most == d.Most && c.Below == d.Below &&
		slices.Equal(c.Zones, d.Zones) && slices.Equal(c.Tags, d.Tags) && slices.Equal(c.Types, d.Types) && slices.Equal(c.Receivers, d.Receivers)
}

func (s *Store) lockRule(ctx context.Context, tx postgres.Tx, scope postgres.Scope, id RuleID) (Rule, error) {
	where := ruleScope(scope)
	where.Add("r.id = ?", id)
	rows, err := tx.Query(ctx, selectRule+where.String()+" FOR UPDATE OF r", where.Args()...)
	if err != nil {
		return Rule{}, postgres.Explain(err, "read rule", nil)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRule)
	if err != nil {
		return r, postgres.Explain(err, "read rule", nil)
	}
	return r, scope.MayChange(r.Location)
}

// DeleteRule removes the rule and ends its alerts, which stay in the history.
func (s *Store) DeleteRule(ctx context.Context, scope postgres.Scope, id RuleID) error {
	return s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		r, err := s.lockRule(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		tx.Record(audit.Entry{Organisation: r.Organisation, Action: audit.Delete, Object: ruleObject(r)})
		if err := endOf(ctx, tx, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM alert_rule WHERE id = $1`, id)
		return postgres.Explain(err, "delete rule", nil)
	})
}

// endOf ends the open alerts of a rule.
func endOf(ctx context.Context, tx postgres.Tx, id RuleID) error {
	_, err := tx.Exec(ctx, `UPDATE alert SET ended_at = greatest(at, now()) WHERE rule = $1 AND ended_at IS NULL`, id)
	return postgres.Explain(err, "end alerts", nil)
}

// prepare checks a rule against what there is, within the transaction that stores it.
func (s *Store) prepare(ctx context.Context, tx postgres.Tx, scope postgres.Scope, r *Rule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	var org schema.OrganisationID
	err := tx.QueryRow(ctx, `SELECT org, name, time_zone FROM location WHERE id = $1`, r.Location).Scan(&org, &r.LocationName, &r.TimeZone)
	if err != nil || !scope.Sees(r.Location) || !r.Organisation.IsZero() && org != r.Organisation {
		if err == nil {
			err = pgx.ErrNoRows
		}
		return named(postgres.Explain(err, "find location", nil), "condition.location", "there is no such location")
	}
	r.Organisation = org
	if err := scope.MayChange(r.Location); err != nil {
		return err
	}
	if err := s.checkHooks(ctx, tx, r); err != nil {
		return err
	}
	return s.checkPeople(ctx, tx, r)
}

// named says of which input a NotFound is.
func named(err error, field, message string) error {
	if schema.KindOf(err) == schema.NotFound {
		return schema.Errorf(schema.NotFound, field, "%s", message)
	}
	return err
}

func (s *Store) checkHooks(ctx context.Context, tx postgres.Tx, r *Rule) error {
	for i, id := range r.Notify.Webhooks {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM webhook WHERE org = $1 AND id = $2`, r.Organisation, id).Scan(&one)
		if err := named(postgres.Explain(err, "find webhook", nil), "notify.webhooks["+strconv.Itoa(i)+"]", "there is no such webhook"); err != nil {
			return err
		}
	}
	return nil
}

// checkPeople admits addresses of people who may see what they would be told.
func (s *Store) checkPeople(ctx context.Context, tx postgres.Tx, r *Rule) error {
	for i, email := range r.Notify.Emails {
		r.Notify.Emails[i] = strings.ToLower(strings.TrimSpace(email))
	}
	may, err := readers(ctx, tx, r.Organisation, r.Location, r.Notify.Emails)
	if err != nil {
		return err
	}
	for i, email := range r.Notify.Emails {
		if _, ok := may[email]; !ok {
			return schema.Errorf(schema.Invalid, "notify.emails["+strconv.Itoa(i)+"]",
				"%.100q is nobody of the organisation who has confirmed the address and may see this location: invite them, or post to a webhook", email)
		}
	}
	return nil
}

// readers returns which of the addresses belong to people of the organisation who have
// confirmed them and may see the location now, with the language that each reads.
func readers(ctx context.Context, q postgres.Rows, org schema.OrganisationID, at schema.LocationID, emails []string) (map[string]string, error) {
	const find = `SELECT lower(a.email), a.language FROM account a WHERE a.org = $1 AND lower(a.email) = ANY ($3)
		AND NOT a.disabled AND a.confirmed_at IS NOT NULL
		AND (NOT a.limited AND a.role IN ('owner', 'admin', 'manager')
			OR EXISTS (SELECT FROM account_location l WHERE l.account = a.id AND l.location = $2))`
	type reader struct{ email, language string }
	found, err := postgres.Collect(ctx, q, func(row pgx.CollectableRow) (r reader, err error) {
		return r, row.Scan(&r.email, &r.language)
	}, find, org, at, orEmpty(emails))
	may := make(map[string]string, len(found))
	for _, r := range found {
		may[r.email] = r.language
	}
	return may, err
}

func ruleObject(r Rule) audit.Object {
	return audit.Object{Kind: "alert_rule", ID: r.ID.String(), Name: r.Name}
}

// changesOf tells what differs between two states of a rule.
func changesOf(old, now Rule) []audit.Field {
	var c audit.Changes
	c.Text("name", old.Name, now.Name)
	c.Flag("enabled", old.Enabled, now.Enabled)
	c.Text("kind", string(old.Kind), string(now.Kind))
	c.Text("location", old.LocationName, now.LocationName)
	c.JSON("zones", orEmpty(old.Zones), orEmpty(now.Zones))
	c.JSON("tags", orEmpty(old.Tags), orEmpty(now.Tags))
	c.JSON("types", orEmpty(old.Types), orEmpty(now.Types))
	c.JSON("receivers", orEmpty(old.Receivers), orEmpty(now.Receivers))
	c.Number("after_s", old.After.Seconds(), now.After.Seconds())
	c.Number("limit", float64(old.Most), float64(now.Most))
	c.Number("below_percent", float64(old.Below), float64(now.Below))
	c.JSON("schedule", old.Schedule, now.Schedule)
	c.Flag("console", old.Notify.Console, now.Notify.Console)
	c.Personal("emails", strings.Join(old.Notify.Emails, ", "), strings.Join(now.Notify.Emails, ", "))
	c.JSON("webhooks", orEmpty(old.Notify.Webhooks), orEmpty(now.Notify.Webhooks))
	c.Text("muted_until", stamp(old.MutedUntil), stamp(now.MutedUntil))
	return c
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
