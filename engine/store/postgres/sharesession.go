package postgres

import (
	"context"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// Guest is what an [Identity] is that came by a link to a live map: nobody who is
// known, who sees what the link shows.
type Guest struct {
	Share    ShareID // zero: it is somebody who is known
	Visit    LoginID // the session of the link
	Nameless bool    // tags are not called by their names
	Until    time.Time
}

// Ended is why a link shows nothing any more. It implements what makes it a value of
// the problem that is answered.
type Ended string

// The ways in which a link ends.
const (
	ShareExpired Ended = "expired"
	ShareRevoked Ended = "revoked"
)

// Error implements error.
func (e Ended) Error() string { return "the link has ended: " + string(e) }

// ProblemValue tells programs, see the shell's.
func (e Ended) ProblemValue() any { return string(e) }

func errShareEnded(why Ended, words string) error {
	return &schema.Error{Kind: schema.Forbidden, Field: "token", Message: words, Err: why}
}

// OpenShare begins a session of the link and returns both; it is written down once
// here, not at each look. An unknown link is NotFound, one that has ended Forbidden
// because of an [Ended].
func (db *DB) OpenShare(ctx context.Context, token string, now time.Time) (x Share, session string, err error) {
	var revoked *time.Time
	const find = `SELECT ` + shareColumns + shareTables + ` WHERE x.hash = $1`
	if err := db.In(AllOrganisations()).QueryRow(ctx, find, hashSecret(token)).Scan(shareFields(&x, &revoked)...); err != nil {
		return x, "", Explain(err, "find link to a live map", nil)
	}
	switch {
	case revoked != nil:
		return x, "", errShareEnded(ShareRevoked, "the link was revoked; ask who gave it to you for another")
	case !x.ExpiresAt.After(now):
		return x, "", errShareEnded(ShareExpired, "the link has expired; ask who gave it to you for another")
	}
	session = NewSecret(ShareSessionPrefix)
	return x, session, db.Write(ctx, In(x.Organisation), func(tx Tx) error { return insertShareSession(ctx, tx, x, session, now) })
}

func insertShareSession(ctx context.Context, tx Tx, x Share, session string, now time.Time) error {
	// Locked, so that the bounds hold and no session is begun of what is being revoked.
	var live bool
	if err := tx.QueryRow(ctx, `SELECT revoked_at IS NULL FROM share WHERE id = $1 FOR UPDATE`, x.ID).Scan(&live); err != nil {
		return Explain(err, "lock link to a live map", nil)
	}
	if !live {
		return errShareEnded(ShareRevoked, "the link was revoked; ask who gave it to you for another")
	}
	var opened int
	const recently = `SELECT count(*) FROM share_session WHERE org = $1 AND share = $2 AND created_at > $3`
	if err := tx.QueryRow(ctx, recently, x.Organisation, x.ID, now.Add(-time.Minute)).Scan(&opened); err != nil {
		return Explain(err, "count sessions", nil)
	}
	if opened >= maxShareOpens {
		return schema.Errorf(schema.TooMany, "", "%d browsers opened the link within a minute; try again in a minute", opened)
	}
	const sweep = `DELETE FROM share_session WHERE org = $1 AND share = $2 AND (last_seen < $3 OR id IN
		(SELECT id FROM share_session WHERE org = $1 AND share = $2 ORDER BY last_seen DESC, id OFFSET $4))`
	if _, err := tx.Exec(ctx, sweep, x.Organisation, x.ID, now.Add(-shareSessionIdle), maxShareSessions-1); err != nil {
		return Explain(err, "sweep sessions", nil)
	}
	id := schema.NewID[LoginID]()
	const insert = `INSERT INTO share_session (id, share, org, hash, created_at, last_seen) VALUES ($1, $2, $3, $4, $5, $5)`
	_, err := tx.Exec(ctx, insert, id, x.ID, x.Organisation, hashSecret(session), now)
	tx.Record(audit.Entry{Organisation: x.Organisation, Action: audit.View, Object: shareObject(x), Fields: []audit.Field{audit.Made("session", id.String())}})
	return Explain(err, "insert session", nil)
}

// IdentityByShare returns what the session of a link may, or NotFound when either
// ended. That is never more than who made the link may now.
func (db *DB) IdentityByShare(ctx context.Context, session string, now time.Time) (Identity, error) {
	const sql = identityColumns + `, x.id, x.org, x.location, l.name, x.names, x.expires_at, y.id, y.last_seen,
		ARRAY(SELECT p.product FROM organisation_product p WHERE p.org = x.org AND p.product = x.product)
		FROM share_session y JOIN share x ON x.id = y.share JOIN location l ON l.id = x.location JOIN account a ON a.id = x.created_by
		WHERE y.hash = $1 AND x.expires_at > $2 AND x.revoked_at IS NULL AND (a.super_admin OR a.org = x.org)` + inForce
	var id Identity
	var x Share
	var login LoginID
	link := access.Principal{Key: true, Only: []access.Action{access.Watch}, Limited: true}
	fields := append(id.fields(), &x.ID, &link.Organisation, &x.Location, &x.LocationName, &x.Names, &x.ExpiresAt, &login, &id.seen, &link.Products)
	if err := db.In(AllOrganisations()).QueryRow(ctx, sql, hashSecret(session), now).Scan(fields...); err != nil {
		return Identity{}, Explain(err, "find session of a link", nil)
	}
	id.settle(link.Organisation)
	link.Grants = []access.Grant{{Location: x.Location}}
	found := Identity{
		// Nobody's account: who made the link must not be seen by who has it.
		Account: Account{Organisation: link.Organisation}, KeyName: "link to " + x.LocationName, Rights: keyRights(link, id.Rights),
		Guest: Guest{Share: x.ID, Visit: login, Nameless: !x.Names, Until: x.ExpiresAt},
	}
	if len(found.Rights.Grants) == 0 {
		return Identity{}, schema.Errorf(schema.NotFound, "", "who made the link does not see the location any more")
	}
	return found, db.saw(ctx, id.seen, `UPDATE share_session SET last_seen = now() WHERE id = $1`, login)
}
