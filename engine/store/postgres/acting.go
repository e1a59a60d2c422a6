package postgres

import (
	"context"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// BeginActing lets the super-admin act inside the organisation, with this session or
// token only, for at most eight hours. The organisation's log says so, with the
// reason, and where he acted before it says that he left.
func (db *DB) BeginActing(ctx context.Context, id Identity, organisation schema.OrganisationID, reason string) error {
	return db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error {
		var name string
		if err := tx.QueryRow(ctx, `SELECT name FROM organisation WHERE id = $1`, organisation).Scan(&name); err != nil {
			return Explain(err, "find organisation", nil)
		}
		if err := leave(ctx, tx, id); err != nil {
			return err
		}
		if err := setActing(ctx, tx, id, organisation, reason); err != nil {
			return err
		}
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.Switch, Object: organisationObject(organisation, name),
			Fields: []audit.Field{audit.Made("acting", "yes"), audit.Made("reason", reason)},
		})
		return nil
	})
}

// EndActing ends the switch of the session or token; there need be none.
func (db *DB) EndActing(ctx context.Context, id Identity) error {
	if id.Rights.Organisation.IsZero() {
		return nil
	}
	return db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error {
		if err := leave(ctx, tx, id); err != nil {
			return err
		}
		return setActing(ctx, tx, id, schema.OrganisationID{}, "")
	})
}

// leave writes down that the super-admin leaves the organisation he acts in, if any.
func leave(ctx context.Context, tx Tx, id Identity) error {
	organisation := id.Rights.Organisation
	if organisation.IsZero() {
		return nil
	}
	var name string
	if err := tx.QueryRow(ctx, `SELECT name FROM organisation WHERE id = $1`, organisation).Scan(&name); err != nil {
		return Explain(err, "find organisation", nil)
	}
	tx.Record(audit.Entry{
		Organisation: organisation, Action: audit.Switch, Object: organisationObject(organisation, name),
		Fields: []audit.Field{audit.Gone("acting", "yes"), audit.Gone("reason", id.Reason)},
	})
	return nil
}

func setActing(ctx context.Context, tx Tx, id Identity, organisation schema.OrganisationID, reason string) error {
	sql, of := `UPDATE login SET acting_org = $2, acting_reason = $3, acting_since = CASE WHEN $2::uuid IS NOT NULL THEN now() END WHERE id = $1`, any(id.Login)
	if id.Login.IsZero() {
		sql, of = `UPDATE api_token SET acting_org = $2, acting_reason = $3, acting_since = CASE WHEN $2::uuid IS NOT NULL THEN now() END WHERE id = $1`, any(id.Token)
	}
	_, err := tx.Exec(ctx, sql, of, organisation, reason)
	return Explain(err, "switch", nil)
}

func organisationObject(id schema.OrganisationID, name string) audit.Object {
	return audit.Object{Kind: "organisation", ID: id.String(), Name: name}
}
