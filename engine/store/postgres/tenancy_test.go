package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// tenantTables returns the tables that say whose their rows are, with the column that does.
func tenantTables(t *testing.T, db *postgres.DB) map[string]string {
	t.Helper()
	const sql = `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
			AND (a.attname = 'org' OR c.relname = 'organisation' AND a.attname = 'id')`
	tables := map[string]string{}
	rows := must(db.Pool().Query(t.Context(), sql))
	var table, column string
	must(pgx.ForEachRow(rows, []any{&table, &column}, func() error { tables[table] = column; return nil }))
	if len(tables) < 15 {
		t.Fatalf("only %d tables of organisations were found: %v", len(tables), tables)
	}
	return tables
}

// Every table that says whose its rows are has both policies and nothing else that
// would let rows through.
func TestEveryTableHasItsPolicies(t *testing.T) {
	db := postgrestest.Open(t)
	type policy struct{ Name, Role, Qual, Check string }
	for table, column := range tenantTables(t, db) {
		var secured bool
		must(0, db.Pool().QueryRow(t.Context(), "SELECT relrowsecurity FROM pg_class WHERE oid = $1::text::regclass", table).Scan(&secured))
		if !secured {
			t.Errorf("%s has the column %s and no row-level security: end its migration with SELECT make_tenant('%[1]s')", table, column)
			continue
		}
		const sql = `SELECT policyname, array_to_string(roles, ','), coalesce(qual, with_check), coalesce(with_check, qual) FROM pg_policies WHERE tablename = $1`
		rows := must(db.Pool().Query(t.Context(), sql, table))
		got := must(pgx.CollectRows(rows, pgx.RowToStructByPos[policy]))
		if strings.HasPrefix(table, "audit_") {
			column = "chain" // the organisation, and of the system's own log no organisation's id
		}
		own := "(" + column + " = current_organisation())"
		for _, p := range got {
			if p.Role == "mybeacon_app" && p.Qual == own && p.Check == own || p.Role == "mybeacon_admin" && p.Qual == "true" && p.Check == "true" {
				continue
			}
			t.Errorf("%s: the policy %+v is neither the organisation's own nor the engine's", table, p)
		}
		for _, role := range []string{"mybeacon_app", "mybeacon_admin"} {
			if !slices.ContainsFunc(got, func(p policy) bool { return p.Role == role }) {
				t.Errorf("%s has no policy of %s", table, role)
			}
		}
	}
}

// What belongs to no organisation is reachable in an organisation's scope only where
// that was decided: entered here.
func TestOtherTablesAreTheEngines(t *testing.T) {
	db := postgrestest.Open(t)
	tenants := tenantTables(t, db)
	// A box that was removed says only that its address was here before. A request that
	// was made once is found by a digest, and its answer is sealed with the client's key.
	common := []string{"device_gone", "idempotency"}
	const sql = `SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
		AND has_any_column_privilege('mybeacon_app', c.oid, 'SELECT, INSERT, UPDATE')`
	for _, table := range must(pgx.CollectRows(must(db.Pool().Query(t.Context(), sql)), pgx.RowTo[string])) {
		if tenants[table] == "" && !slices.Contains(common, table) {
			t.Errorf("every organisation can reach %s, which says not whose its rows are: use make_system, or enter it here", table)
		}
	}
	const definers = `SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege('mybeacon_app', oid, 'EXECUTE')`
	for _, function := range must(pgx.CollectRows(must(db.Pool().Query(t.Context(), definers)), pgx.RowTo[string])) {
		t.Errorf("every organisation can call %s, which runs with its owner's rights, past all policies", function)
	}
}

// populate gives the organisation a row in each of the core's tables.
func populate(t *testing.T, db *postgres.DB, name string, n int) postgres.Organisation {
	t.Helper()
	o := postgrestest.Organisation(t, db, name, "ble")
	l := postgrestest.Location(t, db, o, "hall")
	postgrestest.Device(t, db, o, fmt.Sprintf("02:00:00:00:00:%02x", n))
	a := must(db.CreateAccount(t.Context(), postgres.Account{Organisation: o.ID, Email: name + "@example.com", Role: "viewer"}, "x"))
	owner := must(db.Owner(t.Context()))
	defer owner.Close()
	plan, tag := schema.NewID[schema.PlanID](), schema.NewID[schema.TagID]()
	for sql, args := range map[string][]any{
		`INSERT INTO account_location (account, org, location) VALUES ($1, $2, $3)`:                                              {a.ID, o.ID, l.ID},
		`INSERT INTO ble_tag (id, org, transmitter, type, name) VALUES ($1, $2, 'mac:02:00:00:00:00:01', 'asset', 'x')`:          {tag, o.ID},
		`INSERT INTO ble_plan (id, org, location, name, min_x, min_y, max_x, max_y) VALUES ($1, $2, $3, 'ground', 0, 0, 10, 10)`: {plan, o.ID, l.ID},
	} {
		must(owner.Exec(t.Context(), sql, args...))
	}
	return o
}

// In the role in which the server works for one organisation, no statement reaches
// another's rows, whatever it says.
func TestNoStatementReachesAnother(t *testing.T) {
	db := postgrestest.Open(t)
	mine, other := populate(t, db, "mine", 1), populate(t, db, "other", 2)
	tried := 0
	for table, column := range tenantTables(t, db) {
		var row []byte
		find := fmt.Sprintf("SELECT to_jsonb(x) FROM %s x WHERE %s = $1 LIMIT 1", table, column)
		if err := db.Pool().QueryRow(t.Context(), find, other.ID).Scan(&row); errors.Is(err, pgx.ErrNoRows) {
			continue // the policies' own test covers tables that are empty here
		} else if err != nil {
			t.Fatal(err)
		}
		tried++
		tryTable(t, db.In(postgres.In(mine.ID)), table, column, other.ID, row)
		for name, scope := range map[string]postgres.Scope{"zero": {}, "unknown": postgres.In(schema.NewID[schema.OrganisationID]())} {
			var n int
			if err := db.In(scope).QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); n != 0 || err != nil && !noRight(err) {
				t.Errorf("%s: the %s scope sees %d rows, %v", table, name, n, err)
			}
		}
		var after []byte
		if must(0, db.Pool().QueryRow(t.Context(), find, other.ID).Scan(&after)); string(after) != string(row) {
			t.Errorf("%s: a row became\n%s from\n%s", table, after, row)
		}
	}
	if tried < 8 {
		t.Errorf("only %d tables had rows of the other organisation", tried)
	}
}

func tryTable(t *testing.T, q postgres.Scoped, table, column string, other schema.OrganisationID, row []byte) {
	t.Helper()
	var seen int
	if err := q.QueryRow(t.Context(), fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", table, column), other).Scan(&seen); seen != 0 || err != nil && !noRight(err) {
		t.Errorf("%s: %d rows of another organisation are seen, %v", table, seen, err)
	}
	for _, sql := range []string{"UPDATE %s SET %[2]s = %[2]s WHERE %[2]s = $1", "DELETE FROM %s WHERE %[2]s = $1"} {
		tag, err := q.Exec(t.Context(), fmt.Sprintf(sql, table, column), other)
		if tag.RowsAffected() != 0 || err != nil && !noRight(err) {
			t.Errorf("%s: %s: %d rows, %v", table, sql, tag.RowsAffected(), err)
		}
	}
	var columns string
	const plain = `SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`
	must(0, q.QueryRow(t.Context(), plain, table).Scan(&columns))
	insert := fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %[2]s FROM jsonb_populate_record(NULL::%[1]s, $1)", table, columns)
	if _, err := q.Exec(t.Context(), insert, row); !noRight(err) {
		t.Errorf("%s: a row in another's name: %v", table, err)
	}
	give := fmt.Sprintf("UPDATE %s SET %s = $1", table, column) // one's own rows, to another
	if _, err := q.Exec(t.Context(), give, other); !noRight(err) {
		t.Errorf("%s: rows given to another: %v", table, err)
	}
}

// noRight reports a refusal by a policy or a missing right.
func noRight(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "42501"
}

// A connection that served one organisation serves the next one as that, and none
// when nobody is named, also after an error and in transactions.
func TestConnectionsChangeHands(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	var scopes []postgres.Scope
	for i := range 5 {
		o := postgrestest.Organisation(t, db, fmt.Sprint(i))
		postgrestest.Location(t, db, o, "hall")
		scopes = append(scopes, postgres.In(o.ID), postgres.Scope{}, postgres.AllOrganisations())
	}
	const count = "SELECT count(*) FROM location"
	want := map[string]int{postgres.Scope{}.String(): 0, postgres.AllOrganisations().String(): 5}
	for round := range 60 {
		scope := scopes[(round*7)%len(scopes)]
		expected, special := want[scope.String()]
		if !special {
			expected = 1
		}
		var n, inside int
		must(0, db.In(scope).QueryRow(ctx, count).Scan(&n))
		err := db.Read(ctx, scope, func(tx postgres.Tx) error {
			if err := tx.QueryRow(ctx, count).Scan(&inside); err != nil || round%3 > 0 {
				return err
			}
			_, err := tx.Exec(ctx, "SELECT 1/0")
			return err
		})
		if n != expected || inside != expected || (err == nil) != (round%3 > 0) {
			t.Fatalf("round %d, %v: %d and %d locations, want %d; %v", round, scope, n, inside, expected, err)
		}
	}
}

// What the runtime's login can reach by a statement that should not be there: every
// organisation's rows - that is what the engine itself needs -, and nothing above.
func TestWhatTheLoginCanBecome(t *testing.T) {
	db := postgrestest.Open(t)
	populate(t, db, "mine", 1)
	conn := must(pgx.Connect(t.Context(), db.Pool().Config().ConnString()))
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	count := func(setup string) (n int, err error) {
		_, err = conn.Exec(t.Context(), setup)
		if err == nil {
			err = conn.QueryRow(t.Context(), "SELECT count(*) FROM location").Scan(&n)
		}
		return n, err
	}
	for setup, want := range map[string]int{"RESET ROLE": 0, "SET ROLE mybeacon_app": 0, "SET ROLE NONE": 0, "SET row_security = off": -1, "SET ROLE mybeacon_admin": 1} {
		must(conn.Exec(t.Context(), "RESET ALL; RESET ROLE"))
		if n, err := count(setup); want >= 0 && (n != want || err != nil) || want < 0 && err == nil {
			t.Errorf("%s: %d locations, %v", setup, n, err)
		}
	}
	for _, forbidden := range []string{
		"SET ROLE mybeacon", "SET ROLE pg_read_all_data", "ALTER TABLE location DISABLE ROW LEVEL SECURITY",
		"DROP POLICY of_organisation ON location", "CREATE POLICY mine ON location USING (true)", "ALTER ROLE mybeacon_app BYPASSRLS",
		"CREATE OR REPLACE FUNCTION current_organisation() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'", "TRUNCATE location CASCADE",
	} {
		must(conn.Exec(t.Context(), "RESET ALL; RESET ROLE"))
		for _, role := range []string{"mybeacon_app", "mybeacon_admin"} {
			if _, err := conn.Exec(t.Context(), "SET ROLE "+role+"; "+forbidden); err == nil {
				t.Errorf("as %s, %s is allowed", role, forbidden)
			}
		}
	}
}

// Where the roles would see past the policies, the server does not start.
func TestRolesThatSeePastPolicies(t *testing.T) {
	at := embeddedtest.NewPostgresDatabase(t)
	db := must(postgres.OpenOwned(t.Context(), embeddedtest.RuntimeURL(at), at))
	defer db.Close()
	must(0, db.Migrate(t.Context()))
	owner := must(db.Owner(t.Context()))
	defer owner.Close()
	// Of a table, not of the role, which is the whole cluster's: other tests use it.
	must(owner.Exec(t.Context(), "GRANT CREATE ON SCHEMA public TO mybeacon_app; ALTER TABLE location OWNER TO mybeacon_app"))
	err := db.Migrate(t.Context())
	wantKind(t, err, schema.Invalid)
	if !strings.Contains(err.Error(), "give location to another owner") {
		t.Errorf("got %v", err)
	}
}

// Before the first migration there are no tables to see, and the error says what to do.
func TestBeforeTheFirstMigration(t *testing.T) {
	at := embeddedtest.NewPostgresDatabase(t)
	db := must(postgres.OpenOwned(t.Context(), embeddedtest.RuntimeURL(at), at))
	defer db.Close()
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_, _, err := db.Locations(t.Context(), postgres.AllOrganisations(), postgres.LocationFilter{}, postgres.Page{})
	if err == nil {
		t.Error("locations were read from an empty database")
	}
}

// An owner that is no superuser is enough, as on a hosted server: it makes the roles,
// or says how they are made.
func TestMigrateWithoutSuperuser(t *testing.T) {
	at := embeddedtest.NewPostgresDatabase(t)
	super := must(pgx.Connect(t.Context(), at))
	defer func() { _ = super.Close(context.WithoutCancel(t.Context())) }()
	var database string
	must(0, super.QueryRow(t.Context(), "SELECT current_database()").Scan(&database))
	must(super.Exec(t.Context(), `CREATE ROLE hosted LOGIN PASSWORD 'hosted' NOSUPERUSER NOCREATEROLE; ALTER DATABASE `+database+` OWNER TO hosted`))
	t.Cleanup(func() {
		conn := must(pgx.Connect(context.Background(), at))
		defer func() { _ = conn.Close(context.Background()) }()
		must(conn.Exec(context.Background(), `REASSIGN OWNED BY hosted TO mybeacon; DROP OWNED BY hosted; DROP ROLE hosted`))
	})
	cfg := super.Config()
	hosted := fmt.Sprintf("host='%s' port=%d user=hosted password=hosted dbname=%s sslmode=disable", cfg.Host, cfg.Port, database)
	db := must(postgres.Open(t.Context(), hosted))
	defer db.Close()
	err := db.Migrate(t.Context())
	wantKind(t, err, schema.Forbidden)
	if !strings.Contains(err.Error(), `GRANT mybeacon_app TO "hosted"`) {
		t.Errorf("the error says not what to do: %v", err)
	}
	must(super.Exec(t.Context(), `GRANT mybeacon_app TO hosted WITH INHERIT FALSE, SET TRUE`))
	must(0, db.Migrate(t.Context()))
	o := postgrestest.Organisation(t, db, "o")
	postgrestest.Location(t, db, o, "hall")
	var n int
	if err := db.In(postgres.Scope{}).QueryRow(t.Context(), "SELECT count(*) FROM location").Scan(&n); n != 0 || err != nil {
		t.Errorf("the owner's own login sees %d locations in no scope, %v", n, err)
	}
}
