package chhost_test

import (
	"testing"

	"mybeacon/engine/embedded/chhost"
)

// harmful are texts no caller may run. Each was, or would be, a way around the
// grants.
var harmful = []string{
	"SELECT 1; SELECT 2",
	"SELECT 1; -- a\nDROP TABLE t",
	"SELECT 1 /* ; */ ; SELECT 'x'",
	"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT LineAsString",
	"INSERT INTO t FROM/**/infile '/etc/passwd' FORMAT CSV",
	"SELECT 1 INTO OUTFILE '/tmp/x'",
	"SELECT file('/etc/passwd')",
	"SELECT `file`('/etc/passwd')",
	"SELECT \"file\"('/etc/passwd')",
	"SELECT “file”('/etc/passwd')",
	"SELECT `fi\\x6ce`('/etc/passwd')",
	"SELECT file/**/('/etc/passwd')",
	"SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
	"SELECT * APPLY file FROM (SELECT '/etc/passwd')",
	"SELECT arrayMap(file, ['/etc/passwd'])",
	"WITH file AS f SELECT 1",
	"CREATE VIEW v AS SELECT file('/etc/passwd')",
	"SYSTEM SHUTDOWN", "KILL QUERY WHERE 1", "SET readonly = 0", "USE system", "ATTACH TABLE t", "DETACH TABLE t",
	"GRANT ALL ON *.* TO default", "EXECUTE AS x SELECT 1", "BEGIN TRANSACTION", "", " ;", "-- nothing",
}

func TestInspectRefusesHarm(t *testing.T) {
	for _, sql := range harmful {
		for _, readOnly := range []bool{false, true} {
			if err := chhost.Inspect(sql, readOnly); err == nil {
				t.Errorf("accepted (readOnly %t): %s", readOnly, sql)
			}
		}
	}
}

func TestInspectClasses(t *testing.T) {
	both := []string{"SELECT 1", "select 1;", "WITH 1 AS a SELECT a", "(SELECT 1) UNION ALL SELECT 2", "SHOW TABLES", "DESCRIBE TABLE t", "EXPLAIN SELECT 1", "EXISTS t", "SELECT 'file(1); INFILE'", "-- file\nSELECT 1 -- ; x", "SELECT filesystemAvailable(), profile FROM t"}
	serverOnly := []string{"INSERT INTO t VALUES (1)", "CREATE TABLE t (a Int8) ENGINE = Null", "ALTER TABLE t DELETE WHERE 1", "DROP TABLE t SYNC", "TRUNCATE TABLE t", "OPTIMIZE TABLE t", "BACKUP TABLE t TO File('x')"}
	for _, sql := range both {
		for _, readOnly := range []bool{false, true} {
			if err := chhost.Inspect(sql, readOnly); err != nil {
				t.Errorf("readOnly %t: %s: %v", readOnly, sql, err)
			}
		}
	}
	for _, sql := range serverOnly {
		if err := chhost.Inspect(sql, true); err == nil {
			t.Errorf("accepted from a reader: %s", sql)
		}
	}
}

func TestReadInsertText(t *testing.T) {
	for _, c := range []struct{ sql, infile, data string }{
		{"INSERT INTO t VALUES (1)", "INSERT INTO t FROM INFILE '/in/1' COMPRESSION 'none' FORMAT Values", "(1)"},
		{"insert into `d b`.t (a, b)\nFORMAT CSV\n 1,2\n", "insert into `d b`.t (a, b) FROM INFILE '/in/1' COMPRESSION 'none' FORMAT CSV", " 1,2\n"},
		{"INSERT INTO TABLE t (format, values) SETTINGS async_insert = 0 FORMAT JSONEachRow {\"a\":1}", "INSERT INTO TABLE t (format, values) FROM INFILE '/in/1' COMPRESSION 'none' SETTINGS async_insert = 0 FORMAT JSONEachRow", "{\"a\":1}"},
		{"INSERT INTO format FORMAT Native", "INSERT INTO format FROM INFILE '/in/1' COMPRESSION 'none' FORMAT Native", ""},
		{"INSERT INTO t FORMAT RowBinary\n\x00'\xff;", "INSERT INTO t FROM INFILE '/in/1' COMPRESSION 'none' FORMAT RowBinary", "\x00'\xff;"},
	} {
		infile, data, ok := chhost.InsertText(c.sql)
		if !ok || infile != c.infile || data != c.data {
			t.Errorf("%q:\n%q, %q, %t\nwant %q, %q", c.sql, infile, data, ok, c.infile, c.data)
		}
	}
	for _, sql := range []string{"SELECT 1", "INSERT INTO t SELECT 1", "INSERT INTO t (a) WITH 1 AS b SELECT b", "INSERT INTO FUNCTION file('x') VALUES (1)", "INSERT INTO t FROM INFILE 'x' FORMAT CSV", "INSERT INTO t (a", "INSERT", "INSERT INTO t FORMAT", ""} {
		if infile, _, ok := chhost.InsertText(sql); ok {
			t.Errorf("%q was read as %q", sql, infile)
		}
	}
}

func FuzzInsertText(f *testing.F) {
	f.Add("INSERT INTO a.b (c) SETTINGS d = 1 FORMAT CSV\n1")
	f.Add("INSERT INTO t VALUES (1)")
	f.Fuzz(func(t *testing.T, sql string) {
		infile, data, ok := chhost.InsertText(sql)
		if !ok {
			return
		}
		if len(data) > len(sql) || sql[len(sql)-len(data):] != data {
			t.Fatalf("%q: the data %q is not the end of the text", sql, data)
		}
		if _, err := chhost.Tokens(infile); err != nil {
			t.Fatalf("%q: the statement made of it does not read: %q: %v", sql, infile, err)
		}
	})
}

func TestAnswerFormat(t *testing.T) {
	for _, c := range []struct {
		sql, fallback, want string
		streams             bool
	}{
		{"SELECT 1", "", "TabSeparated", true},
		{"SELECT 1", "Native", "Native", true},
		{"SELECT 1 FORMAT JSON", "Native", "JSON", false},
		{"SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "JSON", "CSV", true},
		{"SELECT a FROM (SELECT 1 AS a) FORMAT CSVWithNames", "", "CSVWithNames", false},
		{"SELECT 'FORMAT JSON'", "CSV", "CSV", true},
		{"SHOW TABLES", "Native", "Native", false},
	} {
		if got, streams := chhost.AnswerFormat(c.sql, c.fallback); got != c.want || streams != c.streams {
			t.Errorf("%s with %q: %s, streams %t; want %s, %t", c.sql, c.fallback, got, streams, c.want, c.streams)
		}
	}
}
