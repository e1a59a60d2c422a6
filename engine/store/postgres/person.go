package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// Person is an account as those see it who look after people.
type Person struct {
	ID               schema.UserID
	Organisation     schema.OrganisationID // zero for a super-admin
	OrganisationName string
	Email            string
	Name             string
	Phone            string
	Language         string // "ru" or "en"
	Role             string // means nothing for a super-admin
	SuperAdmin       bool
	ReadOnly         bool
	Disabled         bool
	Limited          bool             // to Locations
	Locations        []PersonLocation // by name
	SecondFactor     bool
	CreatedAt        time.Time
	InvitedAt        time.Time // zero: never
	ConfirmedAt      time.Time // zero: the invitation was not taken yet
	LastLogin        time.Time // zero: never
}

// PersonLocation is a location that a person is limited to.
type PersonLocation struct {
	ID    schema.LocationID `json:"id"`
	Name  string            `json:"name"`
	Write bool              `json:"write"`
}

// Rights returns what the person may in the organisation.
func (p Person) Rights() access.Principal {
	r := access.Principal{
		User: p.ID, Organisation: p.Organisation, Role: access.Role(p.Role), SuperAdmin: p.SuperAdmin,
		ReadOnly: p.ReadOnly, Limited: p.Limited,
	}
	for _, l := range p.Locations {
		r.Grants = append(r.Grants, access.Grant{Location: l.ID, Write: l.Write})
	}
	return r
}

// leads reports whether the person can look after the organisation's people: an
// organisation without anybody who leads could never mend its own rights.
func (p Person) leads() bool {
	return p.Role == string(access.Owner) && !p.Disabled && !p.ReadOnly && !p.Limited && !p.ConfirmedAt.IsZero()
}

const leads = `role = 'owner' AND NOT disabled AND NOT read_only AND NOT limited AND confirmed_at IS NOT NULL`

// PersonFilter narrows a list; empty fields admit all.
type PersonFilter struct {
	Query      string // part of the e-mail or the name; letters' case does not matter
	Role       string
	SuperAdmin bool // only super-admins
}

// literally takes from a text what LIKE would read as a pattern.
var literally = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func people() List[Person] {
	return List[Person]{
		Select: `SELECT a.id, a.org, coalesce(o.name, ''), a.email, a.name, a.phone, a.language, a.role, a.super_admin, a.read_only, a.disabled, a.limited,
			coalesce((SELECT jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'write', g.write) ORDER BY l.name)
				FROM account_location g JOIN location l ON l.id = g.location WHERE g.account = a.id), '[]'),
			EXISTS (SELECT FROM totp t WHERE t.account = a.id AND t.confirmed_at IS NOT NULL),
			a.created_at, a.invited_at, a.confirmed_at, a.last_login
			FROM account a LEFT JOIN organisation o ON o.id = a.org`,
		Key: "a.email", Cast: "text", ID: "a.id",
		Scan: scanPerson,
		At:   func(p Person) Cursor { return Cursor{Key: p.Email, ID: p.ID.String()} },
	}
}

func scanPerson(row pgx.CollectableRow) (Person, error) {
	var p Person
	var invited, confirmed, login *time.Time
	err := row.Scan(&p.ID, &p.Organisation, &p.OrganisationName, &p.Email, &p.Name, &p.Phone, &p.Language, &p.Role, &p.SuperAdmin,
		&p.ReadOnly, &p.Disabled, &p.Limited, &p.Locations, &p.SecondFactor, &p.CreatedAt, &invited, &confirmed, &login)
	p.InvitedAt, p.ConfirmedAt, p.LastLogin = timeOf(invited), timeOf(confirmed), timeOf(login)
	return p, err
}

// People returns a page of the people in scope, by e-mail.
func (db *DB) People(ctx context.Context, scope Scope, filter PersonFilter, page Page) ([]Person, Cursor, error) {
	var where Where
	where.Scope("a.org", scope)
	if filter.Query != "" {
		where.Add("a.words LIKE '%' || lower(?) || '%'", literally.Replace(filter.Query))
	}
	if filter.Role != "" {
		where.Add("a.role = ? AND NOT a.super_admin", filter.Role)
	}
	if filter.SuperAdmin {
		where.Add("a.super_admin")
	}
	return people().Read(ctx, db.In(scope), &where, page)
}

// Person returns one person in scope, or NotFound.
func (db *DB) Person(ctx context.Context, scope Scope, id schema.UserID) (Person, error) {
	return PersonIn(ctx, db.In(scope), scope, id)
}

// PersonIn is [DB.Person] inside of a transaction.
func PersonIn(ctx context.Context, q Rows, scope Scope, id schema.UserID) (Person, error) {
	var where Where
	where.Scope("a.org", scope)
	where.Add("a.id = ?", id)
	return people().One(ctx, q, &where)
}

// PersonByEmail returns the person whose e-mail it is, or NotFound. Letters' case does
// not matter.
func PersonByEmail(ctx context.Context, q Rows, email string) (Person, error) {
	var where Where
	where.Add("lower(a.email) = lower(?)", email)
	return people().One(ctx, q, &where)
}

// LockPeople lets one transaction at a time change who may what in the organisation:
// two Owners who demote each other at once must not both succeed.
func LockPeople(ctx context.Context, tx Tx, organisation schema.OrganisationID) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('mybeacon people ' || $1::text, 0))`, organisation.String())
	return Explain(err, "lock the people", nil)
}

// InsertPerson stores a new person under his id; an empty hash is of no password.
func InsertPerson(ctx context.Context, tx Tx, p Person, passwordHash string) error {
	const insert = `INSERT INTO account (id, org, email, name, phone, language, password_hash, super_admin, role, read_only, limited, invited_at, confirmed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	_, err := tx.Exec(ctx, insert, p.ID, p.Organisation, p.Email, p.Name, p.Phone, p.Language, passwordHash, p.SuperAdmin, p.Role, p.ReadOnly, p.Limited,
		orNull(p.InvitedAt), orNull(p.ConfirmedAt))
	if err != nil {
		return Explain(err, "insert person", accountConstraints)
	}
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: rightsChanges(Person{}, p)})
	return insertLocations(ctx, tx, p)
}

// timeOf returns the time, zero for none.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func insertLocations(ctx context.Context, tx Tx, p Person) error {
	for _, l := range p.Locations {
		const insert = `INSERT INTO account_location (account, org, location, write) VALUES ($1, $2, $3, $4)`
		if _, err := tx.Exec(ctx, insert, p.ID, p.Organisation, l.ID, l.Write); err != nil {
			return Explain(err, "insert the person's locations", locationGrantConstraints)
		}
	}
	return nil
}

var locationGrantConstraints = Constraints{
	"account_location_org_location_fkey": schema.Errorf(schema.NotFound, "locations", "there is no such location"),
	"account_location_pkey":              schema.Errorf(schema.Invalid, "locations", "name each location once"),
	"api_key_location_org_location_fkey": schema.Errorf(schema.NotFound, "locations", "there is no such location"),
	"api_key_location_pkey":              schema.Errorf(schema.Invalid, "locations", "name each location once"),
}

// ChangePerson stores what changed of a person: name, phone, language, role, mode,
// locations. It needs [LockPeople], and is a Conflict when nobody would lead any more.
func ChangePerson(ctx context.Context, tx Tx, before, after Person) error {
	changes := personChanges(before, after)
	if len(changes) == 0 {
		return nil
	}
	const update = `UPDATE account SET name = $2, phone = $3, language = $4, role = $5, read_only = $6, disabled = $7, limited = $8 WHERE id = $1`
	_, err := tx.Exec(ctx, update, after.ID, after.Name, after.Phone, after.Language, after.Role, after.ReadOnly, after.Disabled, after.Limited)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM account_location WHERE account = $1`, after.ID)
	}
	if err == nil {
		err = insertLocations(ctx, tx, after)
	}
	if err == nil && after.Disabled && !before.Disabled {
		err = EndLogins(ctx, tx, after.ID, LoginID{})
	}
	if err != nil {
		return Explain(err, "change person", nil)
	}
	tx.Record(audit.Entry{Organisation: after.Organisation, Action: audit.Users, Object: personObject(after.ID, after.Email), Fields: changes})
	return keepLeader(ctx, tx, before, after.leads())
}

// DeletePerson removes the person with his sessions, tokens and keys. It needs
// [LockPeople], and is a Conflict when nobody would lead any more.
func DeletePerson(ctx context.Context, tx Tx, p Person) error {
	if _, err := tx.Exec(ctx, `DELETE FROM account WHERE id = $1`, p.ID); err != nil {
		return Explain(err, "delete person", nil)
	}
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: rightsChanges(p, Person{})})
	return keepLeader(ctx, tx, p, false)
}

// keepLeader refuses to take the last one who leads, before the transaction commits.
func keepLeader(ctx context.Context, tx Tx, before Person, leadsStill bool) error {
	if leadsStill || !before.SuperAdmin && !before.leads() {
		return nil
	}
	sql, lost := `SELECT EXISTS (SELECT FROM account WHERE org = $1 AND `+leads+`)`, "the last Owner can be neither removed nor restricted; make somebody else an Owner first"
	if before.SuperAdmin {
		sql, lost = `SELECT EXISTS (SELECT FROM account WHERE org IS NOT DISTINCT FROM $1::uuid AND super_admin AND NOT disabled)`, "the last super-admin can be neither removed nor disabled"
	}
	var one bool
	if err := tx.QueryRow(ctx, sql, before.Organisation).Scan(&one); err != nil {
		return Explain(err, "look for an Owner", nil)
	}
	if !one {
		return schema.Errorf(schema.Conflict, "", "%s", lost)
	}
	return nil
}

// personChanges are what the audit log says of a change; names and numbers of phones
// are personal.
func personChanges(before, after Person) audit.Changes {
	var c audit.Changes
	c.Personal("name", before.Name, after.Name)
	c.Personal("phone", before.Phone, after.Phone)
	c.Text("language", before.Language, after.Language)
	return append(c, rightsChanges(before, after)...)
}

func rightsChanges(before, after Person) audit.Changes {
	var c audit.Changes
	c.Text("role", roleOf(before), roleOf(after))
	c.Flag("read_only", before.ReadOnly, after.ReadOnly)
	c.Flag("disabled", before.Disabled, after.Disabled)
	c.Text("locations", locationsText(before), locationsText(after))
	return c
}

func roleOf(p Person) string {
	if p.SuperAdmin {
		return "super_admin"
	}
	return p.Role
}

func locationsText(p Person) string {
	if !p.Limited {
		return ""
	}
	text := "none"
	for i, l := range p.Locations {
		mode := " (read)"
		if l.Write {
			mode = " (write)"
		}
		if i == 0 {
			text = l.Name + mode
		} else {
			text += ", " + l.Name + mode
		}
	}
	return text
}

// SetPassword stores the hash of a new password of the account, whose e-mail is proven
// by that, and ends what the old one opened: all links, and all sessions but the one.
// Without that one it is a reset: nobody knows who used the old password for what, so
// that the account's tokens end too.
func SetPassword(ctx context.Context, tx Tx, p Person, passwordHash string, but LoginID) error {
	_, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2, confirmed_at = coalesce(confirmed_at, now()) WHERE id = $1`, p.ID, passwordHash)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM link WHERE account = $1`, p.ID)
	}
	if err == nil {
		err = EndLogins(ctx, tx, p.ID, but)
	}
	if err == nil && but.IsZero() {
		_, err = tx.Exec(ctx, `DELETE FROM api_token WHERE account = $1`, p.ID)
	}
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: []audit.Field{audit.Made("password", "set")}})
	return Explain(err, "set password", nil)
}

// SetEmail stores a new e-mail of the account; that of another one is a Conflict. Links
// end: they are in the old mailbox.
func SetEmail(ctx context.Context, tx Tx, p Person, email string) error {
	if _, err := tx.Exec(ctx, `UPDATE account SET email = $2 WHERE id = $1`, p.ID, email); err != nil {
		return Explain(err, "set e-mail", accountConstraints)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM link WHERE account = $1`, p.ID); err != nil {
		return Explain(err, "end links", nil)
	}
	var c audit.Changes
	c.Personal("email", p.Email, email)
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: c})
	return nil
}

// NoteInvited notes that an invitation was sent.
func NoteInvited(ctx context.Context, tx Tx, p Person, at time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE account SET invited_at = $2 WHERE id = $1`, p.ID, at)
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: []audit.Field{audit.Made("invited", at.UTC().Format(time.RFC3339))}})
	return Explain(err, "note the invitation", nil)
}

// PasswordHash returns the hash of the account's password, empty while it has none.
func (db *DB) PasswordHash(ctx context.Context, id schema.UserID) (string, error) {
	var hash string
	err := db.In(AllOrganisations()).QueryRow(ctx, `SELECT password_hash FROM account WHERE id = $1`, id).Scan(&hash)
	return hash, Explain(err, "find password", nil)
}

// SuperAdminsIn returns the super-admins that are not disabled, the oldest first, at
// most so many.
func SuperAdminsIn(ctx context.Context, q Rows, most int) ([]Person, error) {
	sql := people().Select + ` WHERE a.super_admin AND NOT a.disabled ORDER BY a.created_at, a.id LIMIT $1`
	return Collect(ctx, q, scanPerson, sql, most)
}

// OwnersIn returns the organisation's Owners that are not disabled, the oldest first,
// at most so many.
func OwnersIn(ctx context.Context, q Rows, organisation schema.OrganisationID, most int) ([]Person, error) {
	sql := people().Select + ` WHERE a.org = $1 AND a.role = 'owner' AND NOT a.disabled ORDER BY a.created_at, a.id LIMIT $2`
	return Collect(ctx, q, scanPerson, sql, organisation, most)
}

// NoteMove writes down that the person asked to move to another e-mail.
func NoteMove(tx Tx, p Person, email string) {
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: []audit.Field{
		{Name: "email_asked", New: email, Personal: true},
	}})
}

// NoteReset writes down that a link was sent that sets a new password.
func NoteReset(tx Tx, p Person) {
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: []audit.Field{audit.Made("password_link", "sent")}})
}

// NoteSessionsEnded writes down that the person ended sessions.
func NoteSessionsEnded(tx Tx, p Person, which string) {
	tx.Record(audit.Entry{Organisation: p.Organisation, Action: audit.Logout, Object: personObject(p.ID, p.Email), Fields: []audit.Field{audit.Made("sessions", which)}})
}
