package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

type shareKind struct{}

// ShareID names a link to a live map.
type ShareID = schema.ID[shareKind]

// Share is a link to the live map of one location, for somebody without an account.
type Share struct {
	ID             ShareID
	Organisation   schema.OrganisationID
	Product        string // whose map it is
	Location       schema.LocationID
	LocationName   string
	TimeZone       string        // of the location, an IANA name
	Plan           schema.PlanID // which is opened first; zero: any
	Names          bool          // whether tags are called by their names
	CreatedBy      schema.UserID
	CreatedByEmail string
	CreatedAt      time.Time
	ExpiresAt      time.Time
	Revoked        time.Time // zero: it is not
	Sessions       int       // browsers that opened it and were seen within a day
	LastSeen       time.Time // of any of them, to the minute; zero: nobody came within a day
}

const (
	// maxShares bounds the live links of an organisation.
	maxShares = 200
	// maxShareSessions bounds the browsers of one link; beyond, the ones that were seen
	// longest ago come by the link again.
	maxShareSessions = 300
	// maxShareOpens bounds how many browsers may open one link within a minute: each
	// leaves an entry in the log.
	maxShareOpens = 60
	// shareRemembered is for how long an ended link is known to have ended.
	shareRemembered = 30 * 24 * time.Hour
	// shareSessionIdle is for how long a browser may stay away.
	shareSessionIdle = 24 * time.Hour
)

const shareColumns = `x.id, x.org, x.product, x.location, l.name, l.time_zone, x.plan, x.names, x.created_by, coalesce(a.email, ''), x.created_at, x.expires_at, x.revoked_at`

const shareTables = ` FROM share x JOIN location l ON l.id = x.location LEFT JOIN account a ON a.id = x.created_by`

func shareFields(x *Share, revoked **time.Time) []any {
	return []any{&x.ID, &x.Organisation, &x.Product, &x.Location, &x.LocationName, &x.TimeZone, &x.Plan, &x.Names, &x.CreatedBy, &x.CreatedByEmail, &x.CreatedAt, &x.ExpiresAt, revoked}
}

func shares() List[Share] {
	return List[Share]{
		Select: `SELECT ` + shareColumns + `, y.n, y.seen` + shareTables + ` LEFT JOIN LATERAL
			(SELECT count(*) AS n, max(s.last_seen) AS seen FROM share_session s WHERE s.org = x.org AND s.share = x.id) y ON true`,
		Key: "x.created_at", Cast: "timestamptz", ID: "x.id",
		Scan: func(row pgx.CollectableRow) (Share, error) {
			var x Share
			var revoked, seen *time.Time
			err := row.Scan(append(shareFields(&x, &revoked), &x.Sessions, &seen)...)
			x.Revoked, x.LastSeen = timeOf(revoked), timeOf(seen)
			return x, err
		},
		At: func(x Share) Cursor { return Cursor{Key: x.CreatedAt.Format(time.RFC3339Nano), ID: x.ID.String()} },
	}
}

// Shares returns a page of the product's links in scope that have not ended, the oldest
// first; those of one location unless it is zero.
func (db *DB) Shares(ctx context.Context, scope Scope, product string, location schema.LocationID, now time.Time, page Page) ([]Share, Cursor, error) {
	var where Where
	where.Scope("x.org", scope)
	where.Location("x.location", scope)
	where.Add("x.product = ? AND x.revoked_at IS NULL AND x.expires_at > ?", product, now)
	if !location.IsZero() {
		where.Add("x.location = ?", location)
	}
	return shares().Read(ctx, db.In(scope), &where, page)
}

// CreateShare stores a new link under its id. The location is in scope. More than 200
// live ones are a Conflict.
func (db *DB) CreateShare(ctx context.Context, x Share, secret string) (Share, error) {
	err := db.Change(ctx, In(x.Organisation), CoreTopic, func(tx Tx) error {
		if err := LockPeople(ctx, tx, x.Organisation); err != nil { // one at a time, so that the bound holds
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM share WHERE org = $1 AND least(revoked_at, expires_at) < $2`, x.Organisation, x.CreatedAt.Add(-shareRemembered)); err != nil {
			return Explain(err, "remove ended links", nil)
		}
		const insert = `INSERT INTO share (id, org, product, location, plan, names, hash, created_by, created_at, expires_at)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE (SELECT count(*) FROM share WHERE org = $2 AND revoked_at IS NULL AND expires_at > $9) < $11`
		tag, err := tx.Exec(ctx, insert, x.ID, x.Organisation, x.Product, x.Location, x.Plan, x.Names, hashSecret(secret), x.CreatedBy, x.CreatedAt, x.ExpiresAt, maxShares)
		if err == nil && tag.RowsAffected() == 0 {
			return schema.Errorf(schema.Conflict, "", "the organisation has %d links to live maps already; revoke some first", maxShares)
		}
		names := "hidden"
		if x.Names {
			names = "shown"
		}
		tx.Record(audit.Entry{Organisation: x.Organisation, Action: audit.Create, Object: shareObject(x), Fields: []audit.Field{
			audit.Made("expires_at", x.ExpiresAt.UTC().Format(time.RFC3339)), audit.Made("names", names),
		}})
		return Explain(err, "insert link to a live map", Constraints{
			"share_org_location_fkey": schema.Errorf(schema.NotFound, "location", "there is no such location"),
		})
	})
	if err != nil {
		return Share{}, err
	}
	var where Where
	where.Add("x.id = ?", x.ID)
	return shares().One(ctx, db.In(In(x.Organisation)), &where)
}

// RevokeShare ends the product's link in scope at once, or is NotFound.
func (db *DB) RevokeShare(ctx context.Context, scope Scope, product string, id ShareID, now time.Time) error {
	return db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		var where Where
		where.Scope("x.org", scope)
		where.Location("x.location", scope)
		where.Add("x.id = ? AND x.product = ? AND x.revoked_at IS NULL", id, product)
		var x Share
		var revoked *time.Time
		err := tx.QueryRow(ctx, `SELECT `+shareColumns+shareTables+where.String()+` FOR UPDATE OF x`, where.Args()...).Scan(shareFields(&x, &revoked)...)
		if err == nil {
			err = scope.MayChange(x.Location)
		}
		if err != nil {
			return Explain(err, "find link to a live map", nil)
		}
		if _, err = tx.Exec(ctx, `UPDATE share SET revoked_at = $2 WHERE id = $1`, id, now); err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM share_session WHERE org = $1 AND share = $2`, x.Organisation, id)
		}
		tx.Record(audit.Entry{Organisation: x.Organisation, Action: audit.Delete, Object: shareObject(x), Fields: []audit.Field{
			audit.Gone("expires_at", x.ExpiresAt.UTC().Format(time.RFC3339)),
		}})
		return Explain(err, "revoke link to a live map", nil)
	})
}

// shareObject calls a link by its location: it has no name of its own.
func shareObject(x Share) audit.Object {
	return audit.Object{Kind: "share", ID: x.ID.String(), Name: x.LocationName}
}
