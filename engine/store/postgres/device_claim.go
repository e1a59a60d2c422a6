package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// A claim code is its label and its secret: "KM3T-9XPA-24HD".
const (
	// claimAlphabet leaves out what is easily misread: 0 O, 1 I L, U V.
	claimAlphabet = "23456789ABCDEFGHJKMNPQRSTWXYZ"
	claimLabel    = 4
	claimSecret   = 8
	// MaxClaimTries is after how many wrong secrets a code is dead.
	MaxClaimTries = 10
	// MaxClaims bounds the codes that are made at once.
	MaxClaims = 500
)

type claimKind struct{}

// ClaimID names a claim code.
type ClaimID = schema.ID[claimKind]

// Claim is a code that lets one box in.
type Claim struct {
	ID               ClaimID
	Organisation     schema.OrganisationID // zero: it binds to nobody
	OrganisationName string
	Label            string // the first part of the code
	Code             string // the whole code, only when it is made
	Tries            int    // wrong ones so far
	CreatedAt        time.Time
	ExpiresAt        time.Time
	UsedAt           time.Time // zero: not yet
	UsedBy           schema.DeviceID
	UsedByNumber     int64
}

func newClaimText(n int) string {
	var b strings.Builder
	for range n {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(claimAlphabet))))
		if err != nil {
			panic("BUG: crypto/rand failed: " + err.Error())
		}
		b.WriteByte(claimAlphabet[i.Int64()])
	}
	return b.String()
}

// splitClaim reads a code as people type it.
func splitClaim(code string) (label, secret string, ok bool) {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(strings.TrimSpace(code)))
	if len(code) != claimLabel+claimSecret || strings.Trim(code, claimAlphabet) != "" {
		return "", "", false
	}
	return code[:claimLabel], code[claimLabel:], true
}

func hashClaim(label, secret string) []byte {
	h := sha256.Sum256([]byte("claim\n" + label + "\n" + secret))
	return h[:]
}

// CreateClaims makes codes that bind to the organisation, or to nobody when it is zero.
// Only here are the codes themselves known.
func (db *DB) CreateClaims(ctx context.Context, organisation schema.OrganisationID, count int, expires time.Time) ([]Claim, error) {
	if count < 1 || count > MaxClaims {
		return nil, schema.Errorf(schema.Invalid, "count", "%d is out of range: 1 to %d codes at once", count, MaxClaims)
	}
	made := make([]Claim, 0, count)
	err := db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		for len(made) < count {
			c, err := insertClaim(ctx, tx, organisation, expires)
			if err != nil {
				return err
			}
			if c.Code != "" {
				made = append(made, c)
				tx.Record(audit.Entry{Organisation: organisation, Action: audit.Create, Object: c.object()})
			}
		}
		return nil
	})
	return made, err
}

func (c Claim) object() audit.Object {
	return audit.Object{Kind: "claim", ID: c.ID.String(), Name: c.Label + "-…"}
}

// insertClaim returns a claim without code when its label is taken.
func insertClaim(ctx context.Context, tx Tx, organisation schema.OrganisationID, expires time.Time) (Claim, error) {
	secret := newClaimText(claimSecret)
	c := Claim{ID: schema.NewID[ClaimID](), Organisation: organisation, Label: newClaimText(claimLabel), ExpiresAt: expires}
	const insert = `INSERT INTO device_claim (id, org, label, hash, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (label) DO NOTHING RETURNING created_at, coalesce((SELECT name FROM organisation WHERE id = $2), '')`
	err := tx.QueryRow(ctx, insert, c.ID, organisation, c.Label, hashClaim(c.Label, secret), expires).Scan(&c.CreatedAt, &c.OrganisationName)
	if errors.Is(err, pgx.ErrNoRows) {
		return Claim{}, nil
	}
	c.Code = c.Label + "-" + secret[:4] + "-" + secret[4:]
	return c, Explain(err, "insert claim", Constraints{
		"device_claim_org_fkey": schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
	})
}

func claims() List[Claim] {
	return List[Claim]{
		Select: `SELECT c.id, c.org, coalesce(o.name, ''), c.label, c.tries, c.created_at, c.expires_at, c.used_at, c.used_by, coalesce(d.number, 0)
			FROM device_claim c LEFT JOIN organisation o ON o.id = c.org LEFT JOIN device d ON d.id = c.used_by`,
		Key: "c.created_at", Cast: "timestamptz", ID: "c.id",
		Scan: func(row pgx.CollectableRow) (Claim, error) {
			var c Claim
			var used *time.Time
			err := row.Scan(&c.ID, &c.Organisation, &c.OrganisationName, &c.Label, &c.Tries, &c.CreatedAt, &c.ExpiresAt, &used, &c.UsedBy, &c.UsedByNumber)
			c.UsedAt = orZero(used)
			return c, err
		},
		At: func(c Claim) Cursor {
			return Cursor{Key: c.CreatedAt.UTC().Format(time.RFC3339Nano), ID: c.ID.String()}
		},
	}
}

// Claims returns a page of the codes in scope, the oldest first, without their secrets.
func (db *DB) Claims(ctx context.Context, scope Scope, page Page) ([]Claim, Cursor, error) {
	var where Where
	where.Scope("c.org", scope)
	return claims().Read(ctx, db.In(scope), &where, page)
}

// DeleteClaim takes a code back.
func (db *DB) DeleteClaim(ctx context.Context, scope Scope, id ClaimID) error {
	return db.Write(ctx, scope, func(tx Tx) error {
		var where Where
		where.Scope("c.org", scope)
		where.Add("c.id = ?", id)
		c, err := claims().One(ctx, tx, &where)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM device_claim WHERE id = $1`, id); err != nil {
			return Explain(err, "delete claim", nil)
		}
		tx.Record(audit.Entry{Organisation: c.Organisation, Action: audit.Delete, Object: c.object()})
		return nil
	})
}

func errClaim() error {
	return schema.Errorf(schema.Forbidden, "claim_code", "is wrong, used, expired or was tried wrongly %d times: ask for a new one", MaxClaimTries)
}

// takeClaim returns the code's claim, locked until the transaction ends, or a zero one
// when the code lets nobody in. A wrong secret is counted.
func takeClaim(ctx context.Context, tx Tx, code string) (Claim, error) {
	label, secret, ok := splitClaim(code)
	if !ok {
		return Claim{}, nil
	}
	var c Claim
	var hash []byte
	const find = `SELECT id, org, hash FROM device_claim
		WHERE label = $1 AND used_at IS NULL AND expires_at > now() AND tries < $2 FOR UPDATE`
	err := tx.QueryRow(ctx, find, label, MaxClaimTries).Scan(&c.ID, &c.Organisation, &hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Claim{}, nil
	case err != nil:
		return Claim{}, Explain(err, "find claim", nil)
	case subtle.ConstantTimeCompare(hash, hashClaim(label, secret)) == 1:
		return c, nil
	}
	_, err = tx.Exec(ctx, `UPDATE device_claim SET tries = tries + 1 WHERE id = $1`, c.ID)
	return Claim{}, Explain(err, "count a wrong try", nil)
}

// useClaim notes who used the code.
func useClaim(ctx context.Context, tx Tx, id ClaimID, by schema.DeviceID) error {
	_, err := tx.Exec(ctx, `UPDATE device_claim SET used_at = now(), used_by = $2 WHERE id = $1`, id, by)
	return Explain(err, "use claim", nil)
}
