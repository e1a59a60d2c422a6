package postgres

import (
	"context"
	"crypto/sha256"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// SecondFactor is what is known of an account's second factor.
type SecondFactor struct {
	Secret    []byte // sealed
	Confirmed bool   // else it was begun and asks for nothing yet
	LastStep  int64  // of the last code that was used
}

// SecondFactor returns the account's second factor, or NotFound.
func (db *DB) SecondFactor(ctx context.Context, account schema.UserID) (SecondFactor, error) {
	var f SecondFactor
	const sql = `SELECT secret, confirmed_at IS NOT NULL, last_step FROM totp WHERE account = $1`
	err := db.In(AllOrganisations()).QueryRow(ctx, sql, account).Scan(&f.Secret, &f.Confirmed, &f.LastStep)
	return f, Explain(err, "find second factor", nil)
}

// BeginSecondFactor stores a sealed secret that asks for nothing before it is
// confirmed. An account that has one already is a Conflict.
func BeginSecondFactor(ctx context.Context, tx Tx, p Person, sealed []byte) error {
	const upsert = `INSERT INTO totp (account, org, secret) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = now() WHERE totp.confirmed_at IS NULL`
	tag, err := tx.Exec(ctx, upsert, p.ID, p.Organisation, sealed)
	if err == nil && tag.RowsAffected() == 0 {
		return schema.Errorf(schema.Conflict, "", "the second factor is on already; switch it off first")
	}
	tx.Record(factorEntry(p, "begun"))
	return Explain(err, "begin second factor", nil)
}

// UseStep notes that the code of the step was used, and reports whether it was the
// first use: neither it nor an older one works again.
func (db *DB) UseStep(ctx context.Context, account schema.UserID, step int64) (bool, error) {
	const use = `UPDATE totp SET last_step = $2 WHERE account = $1 AND last_step < $2 AND confirmed_at IS NOT NULL`
	tag, err := db.In(AllOrganisations()).Exec(ctx, use, account, step)
	return err == nil && tag.RowsAffected() == 1, Explain(err, "use code", nil)
}

// ConfirmSecondFactor switches the second factor on, with its recovery codes, and
// reports whether it was not on before and the code of the step is new.
func ConfirmSecondFactor(ctx context.Context, tx Tx, p Person, step int64, codes []string) error {
	const confirm = `UPDATE totp SET confirmed_at = now(), last_step = $2 WHERE account = $1 AND confirmed_at IS NULL`
	tag, err := tx.Exec(ctx, confirm, p.ID, step)
	if err == nil && tag.RowsAffected() == 0 {
		return schema.Errorf(schema.Conflict, "", "the second factor is on already")
	}
	if err != nil {
		return Explain(err, "confirm second factor", nil)
	}
	tx.Record(factorEntry(p, "on"))
	return replaceCodes(ctx, tx, p.ID, codes)
}

// ReplaceRecoveryCodes makes the old recovery codes of the account worthless.
func ReplaceRecoveryCodes(ctx context.Context, tx Tx, p Person, codes []string) error {
	tx.Record(factorEntry(p, "new recovery codes"))
	return replaceCodes(ctx, tx, p.ID, codes)
}

func replaceCodes(ctx context.Context, tx Tx, account schema.UserID, codes []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_code WHERE account = $1`, account); err != nil {
		return Explain(err, "replace recovery codes", nil)
	}
	hashes := make([][]byte, len(codes))
	for i, code := range codes {
		hashes[i] = codeHash(account, code)
	}
	_, err := tx.Exec(ctx, `INSERT INTO recovery_code (account, hash) SELECT $1, unnest($2::bytea[])`, account, hashes)
	return Explain(err, "store recovery codes", nil)
}

// codeHash is what the store keeps of a recovery code; 80 random bits need no slow
// hash.
func codeHash(account schema.UserID, code string) []byte {
	h := sha256.Sum256(append(account[:], code...))
	return h[:]
}

// UseRecoveryCode uses the code up and reports whether it was one that was not used.
func (db *DB) UseRecoveryCode(ctx context.Context, p Account, code string, now time.Time) (bool, error) {
	used := false
	err := db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		const use = `UPDATE recovery_code SET used_at = $3 WHERE account = $1 AND hash = $2 AND used_at IS NULL`
		tag, err := tx.Exec(ctx, use, p.ID, codeHash(p.ID, code), now)
		if used = err == nil && tag.RowsAffected() == 1; used {
			tx.Record(factorEntry(Person{ID: p.ID, Organisation: p.Organisation, Email: p.Email}, "recovery code used"))
		}
		return err
	})
	return used && err == nil, err
}

// EndSecondFactor switches the second factor off.
func EndSecondFactor(ctx context.Context, tx Tx, p Person) error {
	if _, err := tx.Exec(ctx, `DELETE FROM totp WHERE account = $1`, p.ID); err != nil {
		return Explain(err, "end second factor", nil)
	}
	tx.Record(factorEntry(p, "off"))
	return replaceCodes(ctx, tx, p.ID, nil)
}

func factorEntry(p Person, now string) audit.Entry {
	return audit.Entry{Organisation: p.Organisation, Action: audit.Users, Object: personObject(p.ID, p.Email), Fields: []audit.Field{audit.Made("second_factor", now)}}
}
