package chhost_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

// The two organisations of the tests. Their names and values tell whose they are.
const (
	ours   = "11111111-1111-4111-8111-111111111111"
	theirs = "22222222-2222-4222-8222-222222222222"
)

// desk is a warehouse with rows of two organisations.
type desk struct {
	tb        testing.TB
	warehouse *clickhouse.DB
	address   *url.URL
}

func openDesk(tb testing.TB) *desk {
	tb.Helper()
	stores, err := embedded.StartClickHouse(tb.Context(), embeddedtest.Config(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := stores.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	db, err := clickhouse.Open(stores.ClickHouseURL(), clickhouse.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(tb.Context(), migrations.FS); err != nil {
		tb.Fatal(err)
	}
	address, err := url.Parse(stores.ClickHouseAnalystURL())
	if err != nil {
		tb.Fatal(err)
	}
	d := &desk{tb, db, address}
	d.fill(ours, "ours", 3)
	d.fill(theirs, "theirs", 5)
	return d
}

// fill gives the organisation rows in every table.
func (d *desk) fill(org, word string, rows int) {
	d.tb.Helper()
	for _, sql := range []string{
		`INSERT INTO observations (org, device, at, tag, transmitter, boot_id, seq, rssi_cdbm, keep_days)
			SELECT '%[1]s', generateUUIDv4(), now64(3), generateUUIDv4(), 'secret-%[2]s-' || number, 'boot-%[2]s', number, -6000, 30 FROM numbers(%[3]d)`,
		`INSERT INTO fixes (org, tag, at, keep_days) SELECT '%[1]s', generateUUIDv4(), now64(3), 30 FROM numbers(%[3]d)`,
		`INSERT INTO zone_visits (org, tag, entered_at, visit_id, keep_days) SELECT '%[1]s', generateUUIDv4(), now64(3), generateUUIDv4(), 30 FROM numbers(%[3]d)`,
		`INSERT INTO names (org, kind, id, name, rev) SELECT '%[1]s', 'tag', generateUUIDv4(), 'secret-%[2]s-' || number, 1 FROM numbers(%[3]d)`,
		`INSERT INTO receiver_offsets (org, plan, from_at, receiver, keep_days) SELECT '%[1]s', generateUUIDv4(), now64(3), generateUUIDv4(), 30 FROM numbers(%[3]d)`,
		`INSERT INTO rederivations (org, tag, from_at, through, done_at) SELECT '%[1]s', generateUUIDv4(), now64(3), now64(3), now64(3) FROM numbers(%[3]d)`,
		`INSERT INTO quarantine (org, device, at, arrived_at, boot_id, seq) SELECT '%[1]s', generateUUIDv4(), now64(3), now64(3), 'boot-%[2]s', number FROM numbers(%[3]d)`,
		`INSERT INTO dwell_cells (org, day, hour, tag, keep_days) SELECT '%[1]s', today(), now(), generateUUIDv4(), 30 FROM numbers(%[3]d)`,
		`INSERT INTO heard_spans (org, day, tag, from_at, to_at, keep_days) SELECT '%[1]s', today(), generateUUIDv4(), now64(3), now64(3), 30 FROM numbers(%[3]d)`,
	} {
		if err := d.warehouse.Conn().Exec(d.tb.Context(), fmt.Sprintf(sql, org, word, rows)); err != nil {
			d.tb.Fatal(err)
		}
	}
}

// ask sends a statement of the organisation's analyst.
func (d *desk) ask(org string, q url.Values, sql string) (int, string) {
	d.tb.Helper()
	u := *d.address
	u.Path, u.RawQuery = "/", q.Encode()
	req, err := http.NewRequestWithContext(d.tb.Context(), http.MethodPost, u.String(), strings.NewReader(sql))
	if err != nil {
		d.tb.Fatal(err)
	}
	if org != "" {
		req.Header.Set(chhost.OrganisationHeader, org)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.tb.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// Every table and every view is given to analysts or known not to be: a later
// migration must decide.
func TestEveryTableIsFilteredOrClosed(t *testing.T) {
	d := openDesk(t)
	rows, err := d.warehouse.Conn().Query(t.Context(), `SELECT name, engine = 'View',
		name IN (SELECT table FROM system.columns WHERE database = 'mybeacon' AND name = 'org') FROM system.tables WHERE database = 'mybeacon'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var isView, hasOrg uint8
		if err := rows.Scan(&name, &isView, &hasOrg); err != nil {
			t.Fatal(err)
		}
		listed := migrations.Filtered()
		if isView == 1 {
			listed = migrations.Views()
		}
		if want := hasOrg == 1; slices.Contains(listed, name) != want {
			t.Errorf("%s: given to analysts %t, has a column org %t", name, !want, want)
		}
		status, answer := d.ask(ours, nil, "SELECT count() FROM "+name)
		if hasOrg == 0 && status != http.StatusForbidden {
			t.Errorf("%s is open: %d %s", name, status, answer)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAnalystsSeeTheirOrganisation(t *testing.T) {
	d := openDesk(t)
	for _, table := range slices.Concat(migrations.Filtered(), migrations.Views()) {
		for org, want := range map[string]string{ours: "3", theirs: "5"} {
			if table == "occupancy" {
				want = "1" // one change: all entered at once
			}
			for _, sql := range []string{
				"SELECT count() FROM " + table,
				"SELECT countIf(org = '" + org + "') FROM mybeacon." + table,
				"SELECT uniqExact(tuple(*)) FROM `" + table + "`",
			} {
				if status, answer := d.ask(org, nil, sql); status != 200 || answer != want && table != "occupancy" {
					t.Errorf("%s: %d %s, want %s", sql, status, answer, want)
				}
			}
			if status, answer := d.ask(org, nil, "SELECT countIf(org != '"+org+"'), any(org) FROM "+table); status != 200 || answer != "0\t"+org {
				t.Errorf("%s shows others' rows: %s", table, answer)
			}
		}
	}
	for _, org := range []string{"", "x", "00000000-0000-0000-0000-000000000000", "11111111-1111-4111-8111-111111111111' OR 1 --", strings.ToUpper("ab111111-1111-4111-8111-111111111111")} {
		if status, answer := d.ask(org, nil, "SELECT count() FROM fixes"); status == 200 && answer != "0" {
			t.Errorf("organisation %q: %d %s", org, status, answer)
		}
	}
}

// Whatever an analyst tries, nothing of another organisation is in the answer,
// neither as rows nor as a number nor in an error.
func TestAnalystsCannotLookAside(t *testing.T) {
	d := openDesk(t)
	for _, sql := range append([]string{
		"SELECT * FROM merge('mybeacon', '.*')", "SELECT * FROM merge(REGEXP('.*'), 'names')", "SELECT * FROM `merge`('mybeacon', 'names')",
		"SELECT * FROM merge('names')", "SELECT * FROM loop(mybeacon.names) LIMIT 20", "SELECT * FROM loop('mybeacon', 'names') LIMIT 20",
		"SELECT * FROM remote('127.0.0.1', mybeacon.names)", "SELECT * FROM cluster('default', mybeacon.names)", "SELECT * FROM clusterAllReplicas('default', mybeacon.names)",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", "SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV')",
		"SELECT * FROM mergeTreeIndex('mybeacon', 'names')", "SELECT * FROM mergeTreeIndex(mybeacon, names, with_minmax = 1)", "SELECT * FROM mergeTreeProjection('mybeacon', 'names', 'p')",
		"SELECT * FROM dictionary('x')", "SELECT dictGet('x', 'y', 1)", "SELECT joinGet('mybeacon.names', 'name', 1)",
		"SELECT * FROM executable('x', 'TSV', 'a String')", "SELECT * FROM input('a String')", "SELECT * FROM generateRandom('a String') LIMIT 1",
		"SELECT name FROM names INTO OUTFILE '/tmp/mybeacon-analyst'", "SELECT * FROM names INTO OUTFILE '/tmp/x' TRUNCATE",
		"SELECT name FROM names SETTINGS log_comment = 'mb-'", "SELECT name FROM names SETTINGS readonly = 0", "SELECT name FROM names SETTINGS readonly = 2, log_comment = ''",
		"SELECT name FROM names SETTINGS additional_table_filters = {'names': '1'}", "SELECT name FROM (SELECT name FROM names SETTINGS log_comment = 'analyst-" + theirs + "')",
		"WITH (SELECT count() FROM names SETTINGS log_comment = 'analyst-" + theirs + "') AS n SELECT n",
		"SET log_comment = 'analyst-" + theirs + "'", "SELECT 1; SELECT * FROM names", "SELECT 1;\nSET readonly = 0", "SELECT getSetting('log_comment')", "SELECT getSettingOrDefault('log_comment', '')",
		"SELECT arrayMap(x -> getSetting(x), ['log_comment'])", "SELECT * FROM system.processes", "SELECT * FROM `system`.processes", `SELECT * FROM "system"."query_log"`, "SELECT * FROM SYSTEM.parts",
		"SELECT * FROM `system.processes`", "SELECT * FROM information_schema.tables", "SELECT * FROM INFORMATION_SCHEMA.TABLES", "SELECT * FROM system.one", "SELECT * FROM default.x",
		"SELECT name FROM (SELECT name FROM names sEttings/**/log_comment = 'x')",
		"SELECT * FROM schema_migration", "SELECT * FROM mybeacon.schema_migration", "SELECT * FROM `schema_migration`", `SELECT * FROM mybeacon."schema_migration"`,
		"SELECT * FROM {d:Identifier}.{t:Identifier}", "SELECT * FROM {t:Identifier}",
		"SHOW PROCESSLIST", "SHOW TABLES FROM system", "SHOW CREATE TABLE names", "SHOW DATABASES", "SHOW GRANTS", "SHOW SETTINGS LIKE 'log%'", "SHOW INDEX FROM names", "SHOW ACCESS",
		"EXPLAIN SELECT * FROM names", "EXPLAIN ESTIMATE SELECT * FROM names", "EXPLAIN PIPELINE SELECT 1", "EXPLAIN TABLE OVERRIDE x", "SELECT * FROM (EXPLAIN ESTIMATE SELECT * FROM names)",
		"DESCRIBE TABLE system.processes", "DESCRIBE merge('mybeacon', '.*')", "DESCRIBE (SELECT * FROM system.processes)", "DESC schema_migration",
		"INSERT INTO names (name) VALUES ('x')", "INSERT INTO FUNCTION file('/tmp/x', 'CSV') SELECT 1", "CREATE TABLE x (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE x AS SELECT * FROM names",
		"CREATE VIEW v AS SELECT * FROM names", "CREATE OR REPLACE VIEW visits SQL SECURITY NONE AS SELECT * FROM names", "ALTER TABLE names DELETE WHERE 1", "DROP TABLE names", "TRUNCATE TABLE names",
		"SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1", "BACKUP TABLE names TO File('x')", "GRANT ALL ON *.* TO default", "EXECUTE AS default SELECT 1", "USE system", "ATTACH TABLE x", "OPTIMIZE TABLE names",
		"SELECT hostName()", "SELECT serverUUID()", "SELECT filesystemAvailable()", "SELECT hasColumnInTable('system', 'processes', 'query')", "SELECT arrayMap(hostName, [1])", "SELECT showCertificate()",
	}, harmful...) {
		status, answer := d.ask(ours, url.Values{"param_d": {"system"}, "param_t": {"processes"}}, sql)
		if status == http.StatusOK {
			t.Errorf("accepted: %s: %.200s", sql, answer)
		}
		noted(t, sql, answer)
	}
}

// What is accepted shows rows of the organisation only, however they are asked for.
func TestAnalystsGetTheirOwnOnly(t *testing.T) {
	d := openDesk(t)
	for sql, want := range map[string]string{
		"SELECT count() FROM names WHERE 1 OR org = '" + theirs + "'":                                                "3",
		"SELECT count() FROM names WHERE org = '" + theirs + "'":                                                     "0",
		"SELECT count() FROM names PREWHERE org = '" + theirs + "'":                                                  "0",
		"SELECT count() FROM names FINAL":                                                                            "3",
		"SELECT count() FROM names WHERE NOT (org = '" + ours + "')":                                                 "0",
		"SELECT sum(c) FROM (SELECT count() AS c FROM names UNION ALL SELECT count() FROM mybeacon.names)":           "6",
		"SELECT count() FROM names AS a CROSS JOIN names AS b":                                                       "9",
		"SELECT count() FROM names AS a FULL OUTER JOIN (SELECT id FROM names) AS b ON a.id = b.id":                  "3",
		"WITH all AS (SELECT * FROM names) SELECT count() FROM all":                                                  "3",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT count() FROM r, names": "9",
		"SELECT (SELECT count() FROM names)":                                                                         "3",
		"SELECT arrayMap(x -> (SELECT count() FROM names), [1])":                                                     "[3]",
		"SELECT count() FROM view(SELECT * FROM names)":                                                              "3",
		"SELECT countIf(id IN (SELECT id FROM names)) FROM names":                                                    "3",
		"SELECT count() FROM numbers(10)":                                                                            "10",
		"SELECT uniqExact(_part) <= 1, sum(_part_offset) <= 3 FROM names":                                            "1\t1",
		"SELECT count() FROM names GROUP BY org WITH TOTALS LIMIT 1 FORMAT CSV":                                      "3\n\n3",
		"SELECT count() FROM names SAMPLE 1":                                                                         "",
		"SELECT uniqExact(tag_name) FROM visits":                                                                     "1",
		"SELECT max(rev), min(rev), count() FROM names":                                                              "1\t1\t3",
		"FROM names SELECT count()":                                                                                  "3",
		"SELECT count() FROM names WHERE name LIKE {p:String}":                                                       "3",
		"SHOW TABLES": "dwell_cells\nfixes\nheard_spans\nlast_seen\nnames\nobservations\noccupancy\nquarantine\nreceiver_offsets\nrederivations\nrollups\nschema_migration\nsteps\ntag_days\nvisit_hours\nvisits\nzone_visits",
	} {
		status, answer := d.ask(ours, url.Values{"param_p": {"secret%"}, "default_format": {"TabSeparated"}}, sql)
		if want == "" {
			noted(t, sql, answer)
			continue
		}
		if status != http.StatusOK || answer != want {
			t.Errorf("%s: %d %q, want %q", sql, status, answer, want)
		}
		noted(t, sql, answer)
	}
}

// An error made from values names none of another organisation's, also where the
// engine works on a dictionary that rows of several organisations share.
func TestErrorsTellNothing(t *testing.T) {
	d := openDesk(t)
	if err := d.warehouse.Conn().Exec(t.Context(), "OPTIMIZE TABLE observations FINAL"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SELECT toUInt64(name) FROM names", "SELECT count() FROM names WHERE toUInt64(name) = 1", "SELECT count() FROM names PREWHERE toUInt64(name) = 1",
		"SELECT count() FROM names FINAL WHERE toUInt64(name) = 1", "SELECT toUInt64(transmitter) FROM observations", "SELECT count() FROM observations WHERE toUInt64(transmitter) = 1",
		"SELECT toUUID(transmitter) FROM observations FINAL", "SELECT throwIf(1, name) FROM names", "SELECT count() FROM names WHERE throwIf(org = '" + theirs + "', 'secret-theirs')",
		"SELECT CAST(name AS Enum8('a' = 1)) FROM names", "SELECT count() FROM names WHERE intDiv(1, org != '" + theirs + "') = 1",
	} {
		_, answer := d.ask(ours, nil, sql)
		noted(t, sql, answer)
	}
	if status, answer := d.ask(ours, nil, "SELECT count() FROM names WHERE throwIf(org != '"+ours+"') = 0"); status != 200 || answer != "3" {
		t.Errorf("a condition is tried on rows of others: %d %s", status, answer)
	}
}

// noted complains of an answer with another organisation's words or id, unless the
// statement itself has them.
func noted(t *testing.T, sql, answer string) {
	t.Helper()
	for _, word := range []string{"secret-theirs-", "boot-theirs", theirs, "root:", "mb-"} {
		if strings.Contains(answer, word) && !strings.Contains(sql, word) {
			t.Errorf("%s\ntells %q: %.300s", sql, word, answer)
		}
	}
}

func TestAnalystsLimits(t *testing.T) {
	cfg := embeddedtest.Config(t)
	cfg.ClickHouseLimits = chhost.Limits{AnalystExecution: time.Second, AnalystMemory: 32 << 20}
	stores, err := embedded.StartClickHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stores.Stop(context.WithoutCancel(t.Context())) }()
	address, err := url.Parse(stores.ClickHouseAnalystURL())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{tb: t, address: address}
	for sql, code := range map[string]string{
		"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1":               "Code: 159.",
		"SELECT length(groupArray(number)) FROM numbers(100000000)":                            "Code: 241.",
		"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 FORMAT Pretty": "Code: 159.",
	} {
		if status, answer := d.ask(schema.NewID[schema.OrganisationID]().String(), url.Values{"max_execution_time": {"300"}}, sql); status == 200 || !strings.HasPrefix(answer, code) {
			t.Errorf("%s: %d %.200s, want %s", sql, status, answer, code)
		}
	}
}
