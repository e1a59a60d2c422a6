package postgres

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// The times of what lets devices in.
const (
	// LoginLifetime is for how long a log-in with the key lets a device in.
	LoginLifetime = time.Hour
	// LoginSkew is how far the time that a log-in was signed with may be from ours.
	LoginSkew = 60 * time.Second
	// OpenFor is for how long after a reset another key may enrol.
	OpenFor = 24 * time.Hour
)

// RotateDeviceToken replaces the device's token; the old one opens nothing any
// more.
func (db *DB) RotateDeviceToken(ctx context.Context, scope Scope, id schema.DeviceID, token string) (Device, error) {
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		_, err := tx.Exec(ctx, `UPDATE device SET token_hash = $2 WHERE id = $1`, d.ID, hashSecret(token))
		return []audit.Field{{Name: "token", New: "replaced"}}, explainDevice(err, "replace the token")
	})
}

// ResetDevice takes away all that lets the device in, and lets another key enrol under
// its MAC address for [OpenFor].
func (db *DB) ResetDevice(ctx context.Context, scope Scope, id schema.DeviceID) (Device, error) {
	return db.alterDevice(ctx, scope, id, func(tx Tx, d Device) ([]audit.Field, error) {
		const reset = `UPDATE device SET token_hash = NULL, public_key = NULL, login_hash = NULL, open_until = now() + $2::interval WHERE id = $1`
		_, err := tx.Exec(ctx, reset, d.ID, OpenFor)
		return []audit.Field{{Name: "key", New: "reset"}}, explainDevice(err, "reset device")
	})
}

func errDeviceToken() error {
	return schema.Errorf(schema.Unauthorized, "", "the device token is unknown or has expired; log in with the key, or rotate the token in the console and enter the new one")
}

// DeviceByToken returns the device that the token lets in, or Unauthorized.
func (db *DB) DeviceByToken(ctx context.Context, token string) (Binding, error) {
	if !IsSecret(DeviceTokenPrefix, token) {
		return Binding{}, errDeviceToken()
	}
	const where = ` WHERE d.token_hash = $1 UNION ALL ` + selectBinding + ` WHERE d.login_hash = $1 AND d.login_expires > now()`
	store := db.In(AllOrganisations())
	rows, err := Collect(ctx, store, scanBinding, selectBinding+where, hashSecret(token))
	switch {
	case err != nil:
		return Binding{}, err
	case len(rows) == 0:
		return Binding{}, errDeviceToken()
	}
	return rows[0], addFormer(ctx, store, rows[:1])
}

// DeviceLogin is what a device sends to log in with its key.
type DeviceLogin struct {
	Device    schema.DeviceID
	Signed    []byte // the message that was signed
	At        time.Time
	Signature []byte
}

// LogInDevice lets the device in with the token for [LoginLifetime] when the signature
// is its key's, and returns when that ends. Each log-in must be signed with a later time
// than the one before, so that one that was overheard opens nothing.
func (db *DB) LogInDevice(ctx context.Context, login DeviceLogin, token string) (time.Time, error) {
	refused := schema.Errorf(schema.Unauthorized, "signature", "is not the device's: sign the present time with the key that it enrolled with, and each time once")
	if skew := time.Since(login.At); skew > LoginSkew || skew < -LoginSkew {
		return time.Time{}, schema.Errorf(schema.Unauthorized, "at", "is more than %s from the server's time: set the clock", LoginSkew)
	}
	var expires time.Time
	err := db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		var key []byte
		err := tx.QueryRow(ctx, `SELECT public_key FROM device WHERE id = $1`, login.Device).Scan(&key)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && (len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, login.Signed, login.Signature)) {
			return refused
		} else if err != nil {
			return err
		}
		const admit = `UPDATE device SET login_hash = $3, login_expires = now() + $4::interval, login_at = $5
			WHERE id = $1 AND public_key = $2 AND (login_at IS NULL OR login_at < $5) RETURNING login_expires`
		err = tx.QueryRow(ctx, admit, login.Device, key, hashSecret(token), LoginLifetime, login.At).Scan(&expires)
		if errors.Is(err, pgx.ErrNoRows) { // used before, or the key was changed meanwhile
			return refused
		}
		tx.Unrecorded("a device renews its own token every hour")
		return err
	})
	return expires, err
}
