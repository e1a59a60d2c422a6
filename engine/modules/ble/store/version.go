package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// What of a plan a change is about.
const (
	wordPlan      = "plan"
	wordReceivers = "receivers"
	wordZones     = "zones"
)

// How many versions of a plan are kept. Quick edits of one person are one version,
// and where there are too many, those go first that held for the shortest time: what
// a plan looked like for a day is kept.
const (
	foldWithin      = time.Minute
	maxVersions     = 1000
	maxVersionBytes = 64 << 20
)

// Version says what was changed in a plan, and who did it last.
type Version struct {
	Number uint64    // the plan's version
	At     time.Time // from when on the plan looked so: the time of the last of its edits
	By     string    // e-mail of who changed it, "API key …", or empty: who is not of the organisation any more
	What   []string  // "plan", "drawing", "image", "scale", "receivers", "zones"
}

// document is a version's whole plan as it is stored.
type document struct {
	Plan      Plan       `json:"plan"`
	Receivers []Receiver `json:"receivers"`
	Zones     []Zone     `json:"zones"`
}

func (d document) pack() ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if err := errors.Join(json.NewEncoder(w).Encode(d), w.Close()); err != nil {
		return nil, fmt.Errorf("pack a plan: %w", err)
	}
	return out.Bytes(), nil
}

// maxDocument bounds what one version is unpacked to.
const maxDocument = 256 << 20

func unpack(packed []byte) (document, error) {
	var d document
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(r, maxDocument)).Decode(&d)
	}
	if err != nil {
		return d, fmt.Errorf("unpack a plan: %w", err)
	}
	return d, nil
}

// keepFirst keeps what a plan looked like that is older than its versions, before
// it is changed for the first time.
func keepFirst(ctx context.Context, tx postgres.Tx, plan schema.PlanID, version uint64) error {
	var known bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ble_plan_version WHERE plan = $1)`, plan).Scan(&known); err != nil || known {
		return postgres.Explain(err, "look for versions", nil)
	}
	d, packed, err := documentNow(ctx, tx, plan)
	if err != nil {
		return err
	}
	const insert = `INSERT INTO ble_plan_version (org, plan, version, at, what, image_file, document) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	_, err = tx.Exec(ctx, insert, d.Plan.Organisation, plan, version-1, d.Plan.CreatedAt, []string{wordPlan}, fileOf(d.Plan), packed)
	return postgres.Explain(err, "insert the first version", nil)
}

// keepVersion keeps what the plan looks like now.
func keepVersion(ctx context.Context, tx postgres.Tx, plan schema.PlanID, what string) error {
	d, packed, err := documentNow(ctx, tx, plan)
	if err != nil {
		return err
	}
	folded, err := fold(ctx, tx, d.Plan, what, packed)
	if err != nil || folded {
		return err
	}
	actor := audit.ActorOf(ctx)
	// The clock may be behind the newest version's, whose row was locked for longer.
	const insert = `INSERT INTO ble_plan_version (org, plan, version, at, by_account, by_key, what, image_file, document)
		SELECT $1, $2, $3, greatest(clock_timestamp(), max(at) + interval '1 microsecond'), $4, $5, $6, $7, $8 FROM ble_plan_version WHERE plan = $2`
	_, err = tx.Exec(ctx, insert, d.Plan.Organisation, plan, d.Plan.Version, actor.User, actor.Key, []string{what}, fileOf(d.Plan), packed)
	if err != nil {
		return postgres.Explain(err, "insert version", nil)
	}
	return thin(ctx, tx, plan)
}

// fold makes the change part of the newest version when that is the same person's
// and began less than a minute ago. The version holds from the change on: no moment
// shows what was not there yet. In those between its edits the plan is shown as it was
// before all of them.
func fold(ctx context.Context, tx postgres.Tx, p Plan, what string, packed []byte) (bool, error) {
	actor := audit.ActorOf(ctx)
	const update = `UPDATE ble_plan_version v SET version = $2, at = greatest(clock_timestamp(), at + interval '1 microsecond'), image_file = $6, document = $7,
			what = CASE WHEN $5::text = ANY (v.what) THEN v.what ELSE v.what || $5::text END
		WHERE plan = $1 AND version = (SELECT max(version) FROM ble_plan_version WHERE plan = $1)
			AND by_account IS NOT DISTINCT FROM $3 AND by_key = $4 AND least(at, began) > clock_timestamp() - $8::interval`
	tag, err := tx.Exec(ctx, update, p.ID, p.Version, actor.User, actor.Key, what, fileOf(p), packed, foldWithin)
	return err == nil && tag.RowsAffected() > 0, postgres.Explain(err, "fold version", nil)
}

// thin removes versions while there are too many.
func thin(ctx context.Context, tx postgres.Tx, plan schema.PlanID) error {
	for {
		var n, size int
		const count = `SELECT count(*), coalesce(sum(octet_length(document)), 0) FROM ble_plan_version WHERE plan = $1`
		if err := tx.QueryRow(ctx, count, plan).Scan(&n, &size); err != nil {
			return postgres.Explain(err, "count versions", nil)
		}
		if n <= maxVersions && size <= maxVersionBytes || n <= 1 {
			return nil
		}
		const remove = `DELETE FROM ble_plan_version WHERE plan = $1 AND version = (
			SELECT version FROM (SELECT version, lead(at) OVER (ORDER BY at) - at AS held FROM ble_plan_version WHERE plan = $1) v
			WHERE held IS NOT NULL ORDER BY held, version LIMIT 1)`
		if _, err := tx.Exec(ctx, remove, plan); err != nil {
			return postgres.Explain(err, "thin versions", nil)
		}
	}
}

func fileOf(p Plan) *string {
	if p.Image == nil {
		return nil
	}
	return &p.Image.File
}

func documentNow(ctx context.Context, tx postgres.Tx, id schema.PlanID) (document, []byte, error) {
	var d document
	var err error
	if d.Plan, err = planNow(ctx, tx, id); err != nil {
		return d, nil, err
	}
	if d.Receivers, d.Zones, err = partsNow(ctx, tx, id); err != nil {
		return d, nil, err
	}
	packed, err := d.pack()
	return d, packed, err
}

// partsNow returns the plan's receivers and zones, by number.
func partsNow(ctx context.Context, tx postgres.Tx, id schema.PlanID) ([]Receiver, []Zone, error) {
	receivers, err := postgres.Collect(ctx, tx, scanReceiver, selectReceiver+" WHERE r.plan = $1 ORDER BY d.number", id)
	if err != nil {
		return nil, nil, err
	}
	zones, err := postgres.Collect(ctx, tx, scanZone, selectZone+" WHERE z.plan = $1 ORDER BY z.number", id)
	return receivers, zones, err
}

// DrawingAt returns the plan as it was at the time, and which version that is; a
// plan that is younger as it was first. Amid quick edits of one person that are one
// version, it is the plan before them.
func (s *Store) DrawingAt(ctx context.Context, scope postgres.Scope, id schema.PlanID, at time.Time) (Drawing, error) {
	var packed []byte
	var d Drawing
	err := s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, id); err != nil {
			return err
		}
		const find = `SELECT document, at FROM ble_plan_version WHERE plan = $1 ORDER BY at <= $2 DESC, CASE WHEN at <= $2 THEN at END DESC, at LIMIT 1`
		err := tx.QueryRow(ctx, find, id, at).Scan(&packed, &d.At)
		if errors.Is(err, pgx.ErrNoRows) { // it was not changed since versions are kept
			d, err = drawingNow(ctx, tx, id)
			d.At = d.Plan.CreatedAt
		}
		return postgres.Explain(err, "read version", nil)
	})
	if err != nil || packed == nil {
		return d, err
	}
	old, err := unpack(packed)
	d.Plan, d.Receivers, d.Zones = old.Plan, old.Receivers, old.Zones
	return d, err
}

func drawingNow(ctx context.Context, tx postgres.Tx, id schema.PlanID) (Drawing, error) {
	var d Drawing
	var err error
	if d.Plan, err = planNow(ctx, tx, id); err != nil {
		return d, err
	}
	d.Receivers, d.Zones, err = partsNow(ctx, tx, id)
	return d, err
}

func versions() postgres.List[Version] {
	return postgres.List[Version]{
		// A super-admin who acted is none of the organisation's people, and not named.
		Select: `SELECT v.version, v.at, CASE WHEN v.by_key <> '' THEN 'API key ' || v.by_key ELSE coalesce(a.email, '') END, v.what
			FROM ble_plan_version v LEFT JOIN account a ON a.id = v.by_account`,
		Key: "-v.version", Cast: "bigint", ID: "v.plan",
		Scan: func(row pgx.CollectableRow) (Version, error) {
			var v Version
			return v, row.Scan(&v.Number, &v.At, &v.By, &v.What)
		},
	}
}

// Versions returns a page of the plan's versions, the newest first.
func (s *Store) Versions(ctx context.Context, scope postgres.Scope, id schema.PlanID, page postgres.Page) (found []Version, next postgres.Cursor, err error) {
	list := versions()
	list.At = func(v Version) postgres.Cursor {
		return postgres.Cursor{Key: fmt.Sprintf("-%d", v.Number), ID: id.String()}
	}
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, id); err != nil {
			return err
		}
		var where postgres.Where
		where.Add("v.plan = ?", id)
		found, next, err = list.Read(ctx, tx, &where, page)
		return err
	})
	return found, next, err
}

// Stale is a change of a plan that was changed since its caller read it.
type Stale struct{ Since Version }

// Error implements error.
func (s *Stale) Error() string { return "the plan was changed since" }

type expectKey struct{}

// Expect returns a context in which a plan is changed only while its version is one
// that the caller expects; otherwise the error is a [Stale]. A change that alters
// nothing passes: it may be the repetition of one whose answer was lost.
func Expect(ctx context.Context, expected func(version uint64) bool) context.Context {
	return context.WithValue(ctx, expectKey{}, expected)
}

// meet compares the version that the plan had until now with what is expected.
func meet(ctx context.Context, tx postgres.Tx, plan schema.PlanID, version uint64) error {
	expected, asked := ctx.Value(expectKey{}).(func(uint64) bool)
	if !asked || expected(version-1) {
		return nil
	}
	var where postgres.Where
	where.Add("v.plan = ?", plan)
	found, err := postgres.Collect(ctx, tx, versions().Scan, versions().Select+where.String()+" ORDER BY v.version DESC LIMIT 1", where.Args()...)
	if err != nil || len(found) == 0 {
		return errors.Join(err, &Stale{Version{Number: version - 1}})
	}
	slices.Sort(found[0].What)
	return &Stale{found[0]}
}

// Outdated tells who was first.
func (s *Stale) Outdated() (detail string, value any) {
	by := s.Since.By
	if by == "" {
		by = "somebody"
	}
	at := s.Since.At.UTC().Format(time.RFC3339)
	detail = fmt.Sprintf("%s changed %s of the plan since you read it (version %d, from %s on): read it again and decide anew",
		by, strings.Join(s.Since.What, ", "), s.Since.Number, at)
	return detail, map[string]any{"by": s.Since.By, "at": at, "what": s.Since.What, "version": s.Since.Number}
}
