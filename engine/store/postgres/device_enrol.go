package postgres

import (
	"bytes"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// MaxSelfRegistered bounds the devices that registered themselves and that nobody has
// bound: anybody may knock, and the list must stay one that people can look through.
const MaxSelfRegistered = 10_000

// Enrolment is a box that presents itself, with its key, a claim code, or both.
type Enrolment struct {
	MAC     string // as [ParseMAC] gives it
	Key     []byte // Ed25519; empty: none
	Code    string // a claim code; empty: none
	Version string
	Modules []string // that it has, by product id
	Token   string   // to let it in with, if it came with a code
}

// Enrol registers the box and returns it as it is bound then, and whether the token lets
// it in. With a key alone it is bound to nobody until an administrator does so; with a
// claim code it is the code's organisation's at once. A box that comes again with the
// same key is the one that it was. One with the MAC address of another device is
// refused, unless an administrator has reset that device.
func (db *DB) Enrol(ctx context.Context, e Enrolment) (d Device, letIn bool, err error) {
	if len(e.Key) == 0 && e.Code == "" {
		return Device{}, false, schema.Errorf(schema.Invalid, "public_key", "a box enrols with its public_key, a claim_code, or both")
	}
	var refused error
	err = db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error {
		enrol := enrolment{Enrolment: e, tx: tx}
		if e.Code == "" {
			d, err = enrol.byKey(ctx)
		} else {
			d, refused, err = enrol.byCode(ctx)
			letIn = err == nil && refused == nil
		}
		if err == nil && refused == nil && !enrol.recorded {
			return errUnchanged
		}
		if refused != nil {
			tx.Unrecorded("a wrong claim code is counted, and is nobody's doing")
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	if err == nil {
		err = refused
	}
	return d, letIn, err
}

// enrolment is one call of [DB.Enrol].
type enrolment struct {
	Enrolment
	tx       Tx
	recorded bool
}

// knownDevice is what is stored of the MAC address.
type knownDevice struct {
	id       schema.DeviceID
	org      schema.OrganisationID
	key      []byte
	hasToken bool
	open     bool // an administrator has reset the device
}

// find locks the device of the MAC address; ok is false when there is none.
func (e *enrolment) find(ctx context.Context) (k knownDevice, ok bool, err error) {
	const find = `SELECT id, org, public_key, token_hash IS NOT NULL, coalesce(open_until > now(), false)
		FROM device WHERE mac = $1::text::macaddr FOR UPDATE`
	err = e.tx.QueryRow(ctx, find, e.MAC).Scan(&k.id, &k.org, &k.key, &k.hasToken, &k.open)
	if errors.Is(err, pgx.ErrNoRows) {
		return knownDevice{}, false, nil
	}
	return k, err == nil, Explain(err, "find device", nil)
}

func (k knownDevice) sameKey(key []byte) bool { return len(key) > 0 && bytes.Equal(k.key, key) }

func errTaken() error {
	return schema.Errorf(schema.Conflict, "mac", "a device of this MAC address is registered with another key or token: an administrator must reset it first")
}

func (e *enrolment) byKey(ctx context.Context) (Device, error) {
	k, registered, err := e.find(ctx)
	switch {
	case err != nil:
		return Device{}, err
	case !registered:
		if err := e.makeRoom(ctx); err != nil {
			return Device{}, err
		}
		return e.insert(ctx, schema.OrganisationID{}, "")
	case k.sameKey(e.Key):
		return readDevice(ctx, e.tx, AllOrganisations(), k.id)
	case len(k.key) > 0 || !k.open:
		return Device{}, errTaken()
	}
	return e.takeOver(ctx, k, "", schema.OrganisationID{})
}

// byCode returns refused when the code lets nobody in; the try is counted all the same.
func (e *enrolment) byCode(ctx context.Context) (d Device, refused, err error) {
	claim, err := takeClaim(ctx, e.tx, e.Code)
	if err != nil {
		return Device{}, nil, err
	}
	if claim.ID.IsZero() {
		return Device{}, errClaim(), nil
	}
	k, registered, err := e.find(ctx)
	switch {
	case err != nil:
		return Device{}, nil, err
	case !registered:
		d, err = e.insert(ctx, claim.Organisation, e.Token)
	case !k.open && !k.sameKey(e.Key) && (k.org.IsZero() || k.org != claim.Organisation):
		return Device{}, nil, errTaken()
	case !k.org.IsZero() && k.org != claim.Organisation:
		return Device{}, nil, schema.Errorf(schema.Conflict, "claim_code", "the device is another organisation's: it must be unbound first")
	default:
		d, err = e.takeOver(ctx, k, e.Token, claim.Organisation)
	}
	if err == nil {
		err = useClaim(ctx, e.tx, claim.ID, d.ID)
	}
	return d, nil, err
}

func (e *enrolment) insert(ctx context.Context, to schema.OrganisationID, token string) (Device, error) {
	e.recorded = true
	d := Device{MAC: e.MAC, Clock: ClockDevice, Organisation: to, Version: e.Version, ModulesRunning: e.modules()}
	return insertDevice(ctx, e.tx, AllOrganisations(), d, newCredentials{token: token, key: e.key(), enrolled: true})
}

// key is NULL for none.
func (e *enrolment) key() []byte {
	if len(e.Key) == 0 {
		return nil
	}
	return e.Key
}

func (e *enrolment) modules() map[string]bool {
	on := map[string]bool{}
	for _, id := range e.Modules {
		on[id] = true
	}
	return on
}

// takeOver gives the registered device new credentials in place of all that it had, and
// binds it to the organisation unless that is zero.
func (e *enrolment) takeOver(ctx context.Context, k knownDevice, token string, to schema.OrganisationID) (Device, error) {
	e.recorded = true
	before, err := readDevice(ctx, e.tx, AllOrganisations(), k.id)
	if err != nil {
		return Device{}, err
	}
	var hash []byte
	if token != "" {
		hash = hashSecret(token)
	}
	const update = `UPDATE device SET public_key = $2, token_hash = $3, login_hash = NULL, open_until = NULL, enrolled_at = now(), version = $4, modules = $5 WHERE id = $1`
	if _, err := e.tx.Exec(ctx, update, k.id, e.key(), hash, e.Version, modulesJSON(e.modules())); err != nil {
		return Device{}, explainDevice(err, "enrol device")
	}
	fields := []audit.Field{{Name: "key", New: "enrolled"}}
	if !to.IsZero() && before.Organisation != to {
		bound, err := rebind(ctx, e.tx, before, to, schema.LocationID{})
		if err != nil {
			return Device{}, err
		}
		fields = append(fields, bound...)
	}
	return recordDevice(ctx, e.tx, AllOrganisations(), before, fields)
}

// makeRoom keeps the self-registered devices that nobody bound within bounds: the
// oldest that was never here makes room for the new one.
func (e *enrolment) makeRoom(ctx context.Context) error {
	const lock = `SELECT pg_advisory_xact_lock(hashtextextended('mybeacon self-registration', 0))`
	if _, err := e.tx.Exec(ctx, lock); err != nil {
		return Explain(err, "wait for other boxes", nil)
	}
	var n int
	const count = `SELECT count(*) FROM device WHERE org IS NULL AND self_registered`
	if err := e.tx.QueryRow(ctx, count).Scan(&n); err != nil || n < MaxSelfRegistered {
		return Explain(err, "count self-registered devices", nil)
	}
	var oldest schema.DeviceID
	const find = `SELECT id FROM device WHERE org IS NULL AND self_registered AND last_seen IS NULL AND NOT online ORDER BY number LIMIT 1`
	err := e.tx.QueryRow(ctx, find).Scan(&oldest)
	if errors.Is(err, pgx.ErrNoRows) {
		return schema.Errorf(schema.TooMany, "", "%d devices wait to be bound, which is the bound: bind or delete some, or use a claim code", n)
	} else if err != nil {
		return Explain(err, "find the oldest device", nil)
	}
	d, err := lockDevice(ctx, e.tx, AllOrganisations(), oldest)
	if err != nil {
		return err
	}
	return deleteDevice(ctx, e.tx, d)
}
