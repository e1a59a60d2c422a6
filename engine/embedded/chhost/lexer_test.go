package chhost_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/embedded/chhost"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"", []string{}},
		{" SELECT a.b,1.5e3 ", []string{"SELECT", "a", ".", "b", ",", "1", ".", "5e3"}},
		{"x='it''s' -- don't\n+1", []string{"x", "=", "'it''s'", "+", "1"}},
		{`'a\'b' "c d" ` + "`e``f`", []string{`'a\'b'`, `"c d"`, "`e``f`"}},
		{"a/*;'*/b -1", []string{"a", "b", "-", "1"}},
		{"{p:String}", []string{"{", "p", ":", "String", "}"}},
		{"x'4A' X'' b'01'", []string{"x", "'4A'", "X", "''", "b", "'01'"}},
		{"'юникод' /* ю */", []string{"'юникод'"}},
	} {
		got, err := chhost.Tokens(c.sql)
		if err != nil {
			t.Errorf("%q: %v", c.sql, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.sql, diff)
		}
	}
}

// What ClickHouse might read differently is not read at all.
func TestTokensRefuse(t *testing.T) {
	for _, sql := range []string{
		"SELECT 'a", "SELECT `a", "/* a", "SELECT ‘a’", "SELECT “a”", "SELECT $$a$$", "SELECT 1 # a", "SELECT 1 // a", "SELECT `a\\x62`",
		"SELECT \"a\\\"\"", "SELECT a\\b", "SELECT x'\\'", "SELECT b'2;'", "(SELECT 1", "SELECT 1)", "SELECT \x00", "SELECT −1", "SELECT\u00a01",
	} {
		if got, err := chhost.Tokens(sql); err == nil {
			t.Errorf("%q was read as %q", sql, got)
		}
	}
	if _, err := chhost.Tokens(strings.Repeat("a ", 300_000)); err == nil {
		t.Error("a text of 300,000 words was read")
	}
}

func FuzzTokens(f *testing.F) {
	for _, seed := range []string{"SELECT 'a''b' -- c\n", "`a` \"b\" {c:D}", "x'00' b'1'", "/*/**/", "((]", "'\\", "INSERT INTO t VALUES (1)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		spans, err := chhost.Spans(sql)
		if err != nil {
			return
		}
		end := 0
		for _, s := range spans {
			if s[0] < end || s[1] <= s[0] || s[1] > len(sql) {
				t.Fatalf("%q: words at %v", sql, spans)
			}
			// What is left out between two words is blanks and comments only.
			if between, err := chhost.Tokens(sql[end:s[0]]); err != nil || len(between) > 0 {
				t.Fatalf("%q: %q was left out", sql, sql[end:s[0]])
			}
			end = s[1]
		}
	})
}
