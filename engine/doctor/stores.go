package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	chschema "mybeacon/schema/clickhouse"
)

// stopping bounds giving back the embedded stores that were started for the look.
const stopping = 30 * time.Second

// stores looks at both stores: those of the running server, servers of their own, or
// the embedded ones, started for the look.
func (c Config) stores(ctx context.Context) []Finding {
	var list []Finding
	postgresURL, clickhouseURL := c.PostgresURL, c.ClickHouseURL
	if postgresURL == "" || clickhouseURL == "" {
		found, urls, stop := c.embedded(ctx, postgresURL == "", clickhouseURL == "")
		defer stop()
		list = append(list, found...)
		if postgresURL == "" {
			postgresURL = urls.postgres
		}
		if clickhouseURL == "" {
			clickhouseURL = urls.clickhouse
		}
	}
	if postgresURL != "" {
		list = append(list, c.postgres(ctx, postgresURL)...)
	}
	if clickhouseURL != "" {
		list = append(list, c.clickhouse(ctx, clickhouseURL)...)
	}
	return list
}

// addressesOf is where embedded stores are; empty: they are not there.
type addressesOf struct{ postgres, clickhouse string }

func (c Config) embedded(ctx context.Context, postgres, clickhouse bool) ([]Finding, addressesOf, func()) {
	nothing := func() {}
	const check = "embedded stores"
	if c.running() { // and has found the programs, wherever it was told that they are
		return []Finding{ok(check, "a server runs on %s", c.Data)}, c.endpoints(postgres, clickhouse), nothing
	}
	rt, err := embedded.FindRuntime(c.Runtime)
	if err != nil {
		return []Finding{fail(check, "run make runtime on a machine with AVX2, or use servers of your own", "%v", err)}, addressesOf{}, nothing
	}
	programs := ok("programs of the embedded stores", "%s", rt.PostgresDir)
	if _, err := os.Stat(filepath.Join(c.Data, "secrets.json")); errors.Is(err, os.ErrNotExist) {
		return []Finding{programs, ok(check, "there are none on %s yet: the first start makes them", c.Data)}, addressesOf{}, nothing
	}
	start := embedded.Start
	switch {
	case !postgres:
		start = embedded.StartClickHouse
	case !clickhouse:
		start = embedded.StartPostgres
	}
	stores, err := start(ctx, embedded.Config{DataDir: c.Data, Runtime: rt, Executable: c.Executable, Log: c.Log})
	if err != nil {
		return []Finding{programs, fail(check, "look at the log above; a backup of the data directory can be restored", "they do not start: %v", err)}, addressesOf{}, nothing
	}
	var urls addressesOf
	if postgres {
		urls.postgres = stores.PostgresURL()
	}
	if clickhouse {
		urls.clickhouse = stores.ClickHouseURL()
	}
	return []Finding{programs, ok(check, "no server runs; they were started for this look")}, urls, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopping)
		defer cancel()
		if err := stores.Stop(ctx); err != nil {
			c.Log.Warn("the embedded stores did not stop cleanly", "error", err)
		}
	}
}

// endpoints are those of the running server.
func (c Config) endpoints(postgres, clickhouse bool) addressesOf {
	var urls addressesOf
	if e, err := embedded.ReadPostgresEndpoint(c.Data); err == nil && postgres {
		urls.postgres = e.URL
	}
	if e, err := embedded.ReadEndpoint(c.Data); err == nil && clickhouse {
		urls.clickhouse = e.URL
	}
	return urls
}

func (c Config) postgres(ctx context.Context, url string) []Finding {
	const check = "PostgreSQL"
	owner := url
	if c.PostgresOwnerURL != "" {
		owner = c.PostgresOwnerURL
	}
	db, err := postgres.OpenOwned(ctx, url, owner)
	if err != nil {
		return []Finding{fail(check, "start it, and look at MYBEACON_POSTGRES_URL", "%v", cause(err))}
	}
	defer db.Close()
	in, err := db.Inspect(ctx)
	if err != nil {
		return []Finding{fail(check, "look at the rights of the role in the URL", "%v", cause(err))}
	}
	list := []Finding{ok(check, "version %s answers", in.Version), migrations(check, in.Pending), apartFrom(in.ClockAhead)}
	if in.Pending > 0 {
		return list
	}
	return append(list, security(in))
}

// security says whether organisations are kept apart by the database.
func security(in postgres.Inspection) Finding {
	const check = "row-level security"
	switch {
	case in.Roles != nil:
		return fail(check, "do what it says: until then organisations could see each other", "%v", in.Roles)
	case len(in.Unprotected) > 0:
		return fail(check, "ALTER TABLE … ENABLE ROW LEVEL SECURITY for them, as the migrations did", "it is off for %s", strings.Join(in.Unprotected, ", "))
	}
	return ok(check, "organisations are kept apart")
}

func apartFrom(ahead time.Duration) Finding {
	const check = "clock of PostgreSQL"
	if ahead.Abs() > apart {
		return warn(check, "let both machines follow the same time servers", "it differs from this machine's by %v", ahead.Round(time.Millisecond))
	}
	return ok(check, "it differs from this machine's by %v", ahead.Round(time.Millisecond))
}

func migrations(store string, pending int) Finding {
	check := "schema of " + store
	switch {
	case pending > 0:
		return warn(check, "start the server, or run mybeacon migrate", "%d migrations are still to run", pending)
	case pending < 0:
		return warn(check, "use the newer program", "it is %d migrations newer than this program", -pending)
	}
	return ok(check, "it is up to date")
}

func (c Config) clickhouse(ctx context.Context, url string) []Finding {
	const check = "ClickHouse"
	advice := "start it, and look at MYBEACON_CLICKHOUSE_URL"
	db, err := clickhouse.Open(url, clickhouse.Options{Log: c.Log})
	if err != nil {
		return []Finding{fail(check, advice, "%v", cause(err))}
	}
	defer func() { _ = db.Close() }()
	version, pending, err := db.Inspect(ctx, chschema.FS)
	if err != nil {
		return []Finding{fail(check, advice, "%v", cause(err))}
	}
	return []Finding{ok(check, "version %s answers", version), migrations(check, pending)}
}

// cause is the error below the words that were made for users of the console.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		if strings.Contains(err.Error(), inner.Error()) {
			return err
		}
		err = inner
	}
}
