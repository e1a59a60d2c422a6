package postgres

import (
	"context"
	"time"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

// Identity is who a session, token or key stands for, and what he may now.
type Identity struct {
	// Account is the person; of an API key who made it.
	Account
	Rights access.Principal

	Login  LoginID // of a session
	Token  TokenID // of an API token
	Key    KeyID   // of an API key
	Reason string  // why a super-admin acts inside the organisation of Rights
	Since  time.Time
	Guest  // of who came by a link to a live map

	KeyName string
	seen    time.Time
}

// ActingLife is for how long a super-admin acts inside an organisation at most.
const ActingLife = 8 * time.Hour

const actingLife = "interval '8 hours'"

// seenEvery is how exact "last seen" is: a session is not written at every request.
const seenEvery = time.Minute

const identityColumns = selectAccount + `, a.read_only, a.limited, ` + grantsOfAccount

const grantsOfAccount = `coalesce((SELECT jsonb_agg(jsonb_build_object('Location', g.location, 'Write', g.write))
	FROM account_location g WHERE g.account = a.id), '[]')`

// inForce are the conditions without which an account stands for nobody.
const inForce = ` AND NOT a.disabled AND a.confirmed_at IS NOT NULL`

func (id *Identity) fields() []any {
	return append(accountFields(&id.Account), &id.Rights.ReadOnly, &id.Rights.Limited, &id.Rights.Grants)
}

// settle fills the rights from what was read; acting is zero for who acts nowhere.
func (id *Identity) settle(acting schema.OrganisationID) {
	r := &id.Rights
	r.User, r.Organisation, r.Role = id.ID, id.Organisation, access.Role(id.Role)
	r.SuperAdmin, r.Products = id.SuperAdmin, id.Products
	if id.SuperAdmin {
		r.Organisation, r.Acting = acting, !acting.IsZero()
	}
}

const actingColumns = `, CASE WHEN x.acting_since > now() - ` + actingLife + ` THEN x.acting_org END, x.acting_reason, coalesce(x.acting_since, 'epoch')`

// IdentityBySession returns whose session this is, by the hash of its token, or
// NotFound: also when it has expired or its account is disabled.
func (db *DB) IdentityBySession(ctx context.Context, session string) (Identity, error) {
	const sql = identityColumns + actingColumns + `, x.id, x.last_seen
		FROM login x JOIN sessions s ON s.token = x.session JOIN account a ON a.id = x.account
		WHERE x.session = $1 AND s.expiry > now()` + inForce
	var id Identity
	var acting schema.OrganisationID
	fields := append(id.fields(), &acting, &id.Reason, &id.Since, &id.Login, &id.seen)
	err := db.In(AllOrganisations()).QueryRow(ctx, sql, session).Scan(fields...)
	if err != nil {
		return Identity{}, Explain(err, "find session", nil)
	}
	id.settle(acting)
	return id, db.saw(ctx, id.seen, `UPDATE login SET last_seen = now() WHERE id = $1`, id.Login)
}

// IdentityByToken returns whose personal API token this is, or NotFound.
func (db *DB) IdentityByToken(ctx context.Context, token string) (Identity, error) {
	const sql = identityColumns + actingColumns + `, x.id, coalesce(x.last_used, 'epoch')
		FROM api_token x JOIN account a ON a.id = x.account WHERE x.hash = $1 AND x.expires_at > now()` + inForce
	var id Identity
	var acting schema.OrganisationID
	fields := append(id.fields(), &acting, &id.Reason, &id.Since, &id.Token, &id.seen)
	err := db.In(AllOrganisations()).QueryRow(ctx, sql, hashSecret(token)).Scan(fields...)
	if err != nil {
		return Identity{}, Explain(err, "find API token", nil)
	}
	id.settle(acting)
	return id, db.saw(ctx, id.seen, `UPDATE api_token SET last_used = now() WHERE id = $1`, id.Token)
}

// IdentityByKey returns what the organisation's API key may, or NotFound. That is
// never more than who made it may now.
func (db *DB) IdentityByKey(ctx context.Context, key string) (Identity, error) {
	id, err := db.identityOfKey(ctx, "x.hash = $1", hashSecret(key))
	if err != nil {
		return Identity{}, err
	}
	return id, db.saw(ctx, id.seen, `UPDATE api_key SET last_used = now() WHERE id = $1`, id.Key)
}

// IdentityOf returns what the account may now, or of a key that is not zero what the
// key may, for work that goes on without them; NotFound when it may nothing any more.
// A super-admin acts in no organisation.
func (db *DB) IdentityOf(ctx context.Context, account schema.UserID, key KeyID) (Identity, error) {
	if !key.IsZero() {
		return db.identityOfKey(ctx, "x.id = $1", key)
	}
	var id Identity
	err := db.In(AllOrganisations()).QueryRow(ctx, identityColumns+` FROM account a WHERE a.id = $1`+inForce, account).Scan(id.fields()...)
	if err != nil {
		return Identity{}, Explain(err, "find account", nil)
	}
	id.settle(schema.OrganisationID{})
	return id, nil
}

func (db *DB) identityOfKey(ctx context.Context, which string, proof any) (Identity, error) {
	const sql = identityColumns + `, x.id, x.name, x.org, x.actions, x.limited, coalesce(x.last_used, 'epoch'),
		coalesce((SELECT jsonb_agg(jsonb_build_object('Location', g.location, 'Write', g.write)) FROM api_key_location g WHERE g.key = x.id), '[]'),
		ARRAY(SELECT p.product FROM organisation_product p WHERE p.org = x.org ORDER BY 1)
		FROM api_key x JOIN account a ON a.id = x.created_by
		WHERE x.expires_at > now() AND (a.super_admin OR a.org = x.org)` + inForce + ` AND `
	var id Identity
	k := access.Principal{Key: true}
	fields := append(id.fields(), &id.Key, &id.KeyName, &k.Organisation, &k.Only, &k.Limited, &id.seen, &k.Grants, &k.Products)
	if err := db.In(AllOrganisations()).QueryRow(ctx, sql+which, proof).Scan(fields...); err != nil {
		return Identity{}, Explain(err, "find API key", nil)
	}
	id.settle(k.Organisation)
	id.Rights = keyRights(k, id.Rights)
	return id, nil
}

// keyRights returns what the key was made for, less what its maker may not now.
func keyRights(key, maker access.Principal) access.Principal {
	key.Role, key.ReadOnly = maker.Role, maker.ReadOnly
	if maker.SuperAdmin {
		key.Role = access.Owner
	}
	switch {
	case maker.Everywhere():
	case !key.Limited:
		key.Limited, key.Grants = true, maker.Grants
	default:
		key.Grants = both(key.Grants, maker.Grants)
	}
	return key
}

// both returns the rights that are in both lists.
func both(a, b []access.Grant) []access.Grant {
	var shared []access.Grant
	for _, x := range a {
		for _, y := range b {
			if x.Location == y.Location {
				shared = append(shared, access.Grant{Location: x.Location, Write: x.Write && y.Write})
			}
		}
	}
	return shared
}

// saw notes that what was last seen then was used now.
func (db *DB) saw(ctx context.Context, then time.Time, sql string, id any) error {
	if time.Since(then) < seenEvery {
		return nil
	}
	_, err := db.In(AllOrganisations()).Exec(ctx, sql, id)
	return Explain(err, "note the use of a proof", nil)
}
