package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"mybeacon/schema"
)

// The roles in which the server works. Neither owns anything and neither inherits
// the other's rights: a connection is in exactly one.
const (
	// AppRole sees the rows of the organisation that its connection is set to.
	AppRole = "mybeacon_app"
	// adminRole sees those of all.
	adminRole = "mybeacon_admin"
)

// identity is what a connection is set to.
type identity struct {
	role         string
	organisation schema.OrganisationID
}

// identity returns in which role, and for whom, the statements of s run.
func (s Scope) identity() identity {
	if s.all {
		return identity{role: adminRole}
	}
	return identity{AppRole, s.organisation}
}

// set is one message to the server, although it is two statements.
func (i identity) set() string {
	organisation := ""
	if !i.organisation.IsZero() {
		organisation = i.organisation.String()
	}
	return "SET ROLE " + i.role + "; SET mybeacon.org = '" + organisation + "'"
}

type scopeKey struct{}

// as returns a context whose connections act for the scope.
func as(ctx context.Context, s Scope) context.Context { return context.WithValue(ctx, scopeKey{}, s) }

type bareKey struct{}

// bare returns a context for what reads no table, and so needs no role: before the
// first migration there are none.
func bare(ctx context.Context) context.Context { return context.WithValue(ctx, bareKey{}, true) }

// assume sets the connection to the scope of the context, when it is not set to that
// yet. Without a scope it sees nothing. Connections of one organisation's requests
// one after another are set once.
func assume(ctx context.Context, conn *pgx.Conn) (bool, error) {
	if ctx.Value(bareKey{}) != nil {
		return true, nil
	}
	scope, _ := ctx.Value(scopeKey{}).(Scope)
	wanted, state := scope.identity(), conn.PgConn().CustomData()
	if state[identityKey] == wanted {
		return true, nil
	}
	delete(state, identityKey) // what it is set to is unknown until the server has answered
	if _, err := conn.PgConn().Exec(ctx, wanted.set()).ReadAll(); err != nil {
		return false, explainRole(err)
	}
	state[identityKey] = wanted
	return true, nil
}

const identityKey = "mybeacon.identity"

// explainRole says what to do where the roles are not there or not given.
func explainRole(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == "22023" || refused.Code == "42501") { // unknown role, not allowed
		return fmt.Errorf("take the role %s or %s: %w: run mybeacon migrate as the owner of the database", AppRole, adminRole, err)
	}
	return err
}

// makeRoles makes the roles where they are missing and lets the runtime's login take
// them. Roles are the whole cluster's, so another database's migration may be making
// them at this moment.
func makeRoles(ctx context.Context, owner *pgx.Conn, login string) error {
	var err error
	for range 10 {
		if err = tryRoles(ctx, owner, login); err == nil || !madeAtOnce(err) {
			break
		}
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" {
		return schema.Errorf(schema.Forbidden, "postgres-url",
			"this role may not make the server's roles (%s): let a superuser run CREATE ROLE %s NOINHERIT; CREATE ROLE %s NOINHERIT; GRANT %s TO %s; GRANT %s TO %q, or give the URL of a role that may in MYBEACON_POSTGRES_OWNER_URL",
			refused.Message, adminRole, AppRole, adminRole, AppRole, AppRole, login)
	}
	return err
}

// madeAtOnce reports whether somebody else did the same at the same time.
func madeAtOnce(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "42710" || refused.Code == "23505" || strings.Contains(refused.Message, "tuple concurrently"))
}

// tryRoles changes only what is not as it should be: most starts find all in place.
func tryRoles(ctx context.Context, owner *pgx.Conn, login string) error {
	for _, role := range []string{adminRole, AppRole} {
		var there bool
		if err := owner.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&there); err != nil {
			return err
		}
		if there {
			continue
		}
		if _, err := owner.Exec(ctx, "CREATE ROLE "+role+" NOINHERIT NOCREATEDB NOCREATEROLE"); err != nil {
			return err
		}
	}
	if err := grantRole(ctx, owner, adminRole, AppRole); err != nil {
		return err
	}
	return grantRole(ctx, owner, AppRole, login)
}

func grantRole(ctx context.Context, owner *pgx.Conn, role, to string) error {
	mode, options := "SET", " WITH INHERIT FALSE, SET TRUE"
	if owner.PgConn().ParameterStatus("server_version") < "16" {
		mode, options = "MEMBER", ""
	}
	var has bool
	if err := owner.QueryRow(ctx, "SELECT pg_has_role($1, $2, $3)", to, role, mode).Scan(&has); err != nil || has {
		return err
	}
	_, err := owner.Exec(ctx, "GRANT "+role+" TO "+pgx.Identifier{to}.Sanitize()+options)
	return err
}

// checkRoles refuses roles for which the policies would not hold.
func checkRoles(ctx context.Context, pool *pgxpool.Pool) error {
	const roles = `SELECT r.rolname, r.rolsuper OR r.rolbypassrls, coalesce((
			SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
			WHERE c.relrowsecurity AND c.relnamespace = current_schema()::regnamespace AND pg_has_role(r.oid, c.relowner, 'USAGE')), '')
		FROM pg_roles r WHERE r.rolname = ANY ($1) ORDER BY 1`
	rows, err := pool.Query(as(ctx, Scope{}), roles, []string{AppRole, adminRole})
	if err != nil {
		return Explain(err, "check the roles", nil)
	}
	var role, owned string
	var above bool
	_, err = pgx.ForEachRow(rows, []any{&role, &above, &owned}, func() error {
		switch {
		case above:
			return schema.Errorf(schema.Invalid, "postgres-url", "the role %s sees past the rows' policies: ALTER ROLE %[1]s NOSUPERUSER NOBYPASSRLS", role)
		case owned != "":
			return schema.Errorf(schema.Invalid, "postgres-url", "the role %s owns tables, so that their policies would not hold for it: give %s to another owner", role, owned)
		}
		return nil
	})
	return Explain(err, "check the roles", nil)
}
