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

// Key is an API key of an organisation.
type Key struct {
	ID             KeyID
	Organisation   schema.OrganisationID
	Name           string
	Prefix         string // its first characters
	Actions        []access.Action
	Limited        bool // to Locations
	Locations      []PersonLocation
	CreatedBy      schema.UserID
	CreatedByEmail string
	CreatedAt      time.Time
	ExpiresAt      time.Time
	LastUsed       time.Time // zero: never
}

// maxKeys bounds the live keys of an organisation.
const maxKeys = 100

// shownKey is how many of a key's characters are kept to tell keys apart: the prefix
// and 36 of its 256 bits.
const shownKey = len(APIKeyPrefix) + 6

func keys() List[Key] {
	return List[Key]{
		Select: `SELECT k.id, k.org, k.name, k.prefix, k.actions, k.limited,
			coalesce((SELECT jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'write', g.write) ORDER BY l.name)
				FROM api_key_location g JOIN location l ON l.id = g.location WHERE g.key = k.id), '[]'),
			k.created_by, coalesce(a.email, ''), k.created_at, k.expires_at, k.last_used
			FROM api_key k LEFT JOIN account a ON a.id = k.created_by`,
		Key: "k.name", Cast: "text", ID: "k.id",
		Scan: func(row pgx.CollectableRow) (Key, error) {
			var k Key
			var used *time.Time
			err := row.Scan(&k.ID, &k.Organisation, &k.Name, &k.Prefix, &k.Actions, &k.Limited, &k.Locations,
				&k.CreatedBy, &k.CreatedByEmail, &k.CreatedAt, &k.ExpiresAt, &used)
			k.LastUsed = timeOf(used)
			return k, err
		},
		At: func(k Key) Cursor { return Cursor{Key: k.Name, ID: k.ID.String()} },
	}
}

// Keys returns a page of the organisation's keys, by name; expired ones too, until
// another is made.
func (db *DB) Keys(ctx context.Context, scope Scope, page Page) ([]Key, Cursor, error) {
	var where Where
	where.Scope("k.org", scope)
	return keys().Read(ctx, db.In(scope), &where, page)
}

// InsertKey stores a new key under its id. More than 100 live ones are a Conflict.
func InsertKey(ctx context.Context, tx Tx, k Key, secret string) error {
	if err := LockPeople(ctx, tx, k.Organisation); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM api_key WHERE org = $1 AND expires_at <= now()`, k.Organisation); err != nil {
		return Explain(err, "remove expired keys", nil)
	}
	const insert = `INSERT INTO api_key (id, org, name, prefix, hash, actions, limited, created_by, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE (SELECT count(*) FROM api_key WHERE org = $2) < $10`
	tag, err := tx.Exec(ctx, insert, k.ID, k.Organisation, k.Name, secret[:shownKey], hashSecret(secret), k.Actions, k.Limited, k.CreatedBy, k.ExpiresAt, maxKeys)
	if err == nil && tag.RowsAffected() == 0 {
		return schema.Errorf(schema.Conflict, "", "the organisation has %d keys already; delete some first", maxKeys)
	}
	for _, l := range k.Locations {
		if err != nil {
			break
		}
		_, err = tx.Exec(ctx, `INSERT INTO api_key_location (key, org, location, write) VALUES ($1, $2, $3, $4)`, k.ID, k.Organisation, l.ID, l.Write)
	}
	tx.Record(audit.Entry{Organisation: k.Organisation, Action: audit.Users, Object: keyObject(k), Fields: []audit.Field{
		audit.Made("actions", actionsText(k.Actions)), audit.Made("expires_at", k.ExpiresAt.UTC().Format(time.RFC3339)),
	}})
	return Explain(err, "insert key", locationGrantConstraints)
}

func actionsText(actions []access.Action) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = string(a)
	}
	return strings.Join(words, ", ")
}

// DeleteKey removes a key in scope, or is NotFound.
func (db *DB) DeleteKey(ctx context.Context, scope Scope, id KeyID) error {
	return db.Change(ctx, scope, CoreTopic, func(tx Tx) error {
		var where Where
		where.Scope("org", scope)
		where.Add("id = ?", id)
		k := Key{ID: id}
		err := tx.QueryRow(ctx, `DELETE FROM api_key`+where.String()+` RETURNING org, name`, where.Args()...).Scan(&k.Organisation, &k.Name)
		if err != nil {
			return Explain(err, "delete key", nil)
		}
		tx.Record(audit.Entry{Organisation: k.Organisation, Action: audit.Users, Object: keyObject(k), Fields: []audit.Field{audit.Gone("key", k.Name)}})
		return nil
	})
}

func keyObject(k Key) audit.Object { return audit.Object{Kind: "key", ID: k.ID.String(), Name: k.Name} }

// Key returns one key in scope, or NotFound.
func (db *DB) Key(ctx context.Context, scope Scope, id KeyID) (Key, error) {
	var where Where
	where.Scope("k.org", scope)
	where.Add("k.id = ?", id)
	return keys().One(ctx, db.In(scope), &where)
}
