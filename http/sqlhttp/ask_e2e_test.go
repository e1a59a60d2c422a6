package sqlhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres"
	"mybeacon/http/shelltest"
)

const askPath = "/api/v1/client/ask"

// answer is what the page gets.
type answer struct {
	Columns   []struct{ Name, Type string }
	Rows      [][]any
	Truncated bool
}

func (s *site) put(token string, body map[string]any) (shelltest.Response, answer) {
	s.tb.Helper()
	c := s.Nobody()
	c.Bearer = token
	r := c.Do("POST", askPath, body)
	var a answer
	if r.StatusCode == http.StatusOK {
		if err := json.Unmarshal(r.Bytes, &a); err != nil {
			s.tb.Fatal(err)
		}
	}
	return r, a
}

// The page has the guard of the door: the same people, the same rows, the same words.
func TestAskHasTheGuard(t *testing.T) {
	s := open(t)
	count := map[string]any{"sql": "SELECT count() FROM names"}
	for role, want := range map[string]int{"owner": 200, "admin": 200, "manager": 200, "operator": 403, "viewer": 403} {
		if r, a := s.put(s.token(s.ours, role), count); r.StatusCode != want || want == 200 && fmt.Sprint(a.Rows) != "[[3]]" {
			t.Errorf("%s: %d %s", role, r.StatusCode, r.Bytes)
		}
	}
	owner := s.token(s.ours, "owner")
	if r, _ := s.put(owner, map[string]any{"sql": "SELECT 1", "organisation_id": s.theirs.ID.String()}); r.StatusCode != http.StatusNotFound {
		t.Errorf("another organisation: %d", r.StatusCode)
	}
	for _, sql := range []string{
		"SELECT * FROM merge('mybeacon', '.*')", "SELECT * FROM remote('127.0.0.1', mybeacon.names)", "SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM mergeTreeIndex('mybeacon', 'names')", "SELECT * FROM system.processes", "SELECT * FROM schema_migration", "SELECT getSetting('log_comment')",
		"SELECT name FROM names SETTINGS log_comment = 'analyst-" + s.theirs.ID.String() + "'", "SELECT name FROM (SELECT name FROM names SETTINGS readonly = 0)",
		"SELECT * FROM {t:Identifier}", "SHOW PROCESSLIST", "EXPLAIN SELECT * FROM names", "INSERT INTO names (name) VALUES ('x')", "DROP TABLE names",
		"SELECT 1; SELECT 2", "SELECT * FROM names INTO OUTFILE '/tmp/x'", "SELECT hostName()", "SELECT 1 FORMAT CSV",
	} {
		r, _ := s.put(owner, map[string]any{"sql": sql, "params": map[string]string{"t": "processes"}})
		if r.StatusCode < 400 || r.StatusCode >= 500 || r.Problem().Errors[0].Field != "sql" {
			t.Errorf("%s: %d %s", sql, r.StatusCode, r.Bytes)
		}
	}
	for sql, want := range map[string]string{
		"SELECT count() FROM names WHERE 1 OR org = '" + s.theirs.ID.String() + "'": "[[3]]",
		"SELECT count() FROM names WHERE org = '" + s.theirs.ID.String() + "'":      "[[0]]",
	} {
		if _, a := s.put(owner, map[string]any{"sql": sql}); fmt.Sprint(a.Rows) != want {
			t.Errorf("%s: %v, want %s", sql, a.Rows, want)
		}
	}
	lines, _, err := s.DB.AuditLog(t.Context(), postgres.In(s.ours.ID), postgres.AuditFilter{Query: "SHOW PROCESSLIST"}, postgres.Page{})
	if err != nil || len(lines) != 1 || lines[0].Object.Kind != "warehouse" {
		t.Errorf("the log has %v, %v", lines, err)
	}
}

// Values keep what they are, parameters are not read as SQL, and an answer is bounded.
func TestAskAnswers(t *testing.T) {
	s := open(t)
	owner := s.token(s.ours, "owner")
	value := "a'b\\c\td\ne"
	_, a := s.put(owner, map[string]any{"sql": "SELECT {p:String} AS p, 1 AS n, toUInt64(18446744073709551615) AS big, NULL AS none, [1, 2] AS list", "params": map[string]string{"p": value}})
	if got := fmt.Sprint(a.Rows); got != fmt.Sprint([][]any{{value, 1, "18446744073709551615", nil, []int{1, 2}}}) || a.Columns[2].Type != "UInt64" {
		t.Errorf("%q %v", got, a.Columns)
	}
	if r, a := s.put(owner, map[string]any{"sql": "SELECT number FROM numbers(100000000)", "limit": 7}); len(a.Rows) != 7 || !a.Truncated {
		t.Errorf("%d rows, truncated %t: %.500s", len(a.Rows), a.Truncated, r.Bytes)
	}
	if _, a := s.put(owner, map[string]any{"sql": "SELECT number FROM numbers(7)", "limit": 7}); len(a.Rows) != 7 || a.Truncated {
		t.Errorf("%d rows, truncated %t", len(a.Rows), a.Truncated)
	}
}

// What is wrong is said without the warehouse's own doings, with its place.
func TestAskProblems(t *testing.T) {
	s := open(t)
	owner := s.token(s.ours, "owner")
	for sql, want := range map[string]string{
		"SELECT 1\nFRM names":                        "line 2, column",
		"SELECT nme\nFROM names":                     "line 1, column 8",
		"SELECT count()\n  FROM namez":               "namez",
		"SELECT throwIf(number = 5) FROM numbers(9)": "",
	} {
		r, _ := s.put(owner, map[string]any{"sql": sql})
		p := r.Problem()
		if r.StatusCode != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Field != "sql" || !strings.Contains(p.Detail, want) {
			t.Errorf("%q: %d %s", sql, r.StatusCode, r.Bytes)
		}
		for _, leak := range []string{"version 2", "DB::", "Stack", "/usr", "mybeacon_reader"} {
			if strings.Contains(string(r.Bytes), leak) {
				t.Errorf("%q leaks %q: %s", sql, leak, r.Bytes)
			}
		}
	}
}
