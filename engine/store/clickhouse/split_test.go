package clickhouse_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/store/clickhouse"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      []string
	}{
		{"empty", "", nil},
		{"only comments", "-- a; b\n/* c; d */ ;;\n", nil},
		{"one without end", "SELECT 1", []string{"SELECT 1"}},
		{"two", "SELECT 1;\nSELECT 2;\n", []string{"SELECT 1", "SELECT 2"}},
		{"string", `SELECT 'a;b', 'it''s; fine', 'q\';';SELECT 2`, []string{`SELECT 'a;b', 'it''s; fine', 'q\';'`, "SELECT 2"}},
		{"names", "SELECT `a;b`, \"c;d\"; SELECT 2", []string{"SELECT `a;b`, \"c;d\"", "SELECT 2"}},
		{"comment with quote", "SELECT 1 -- don't\n; SELECT 2", []string{"SELECT 1 -- don't", "SELECT 2"}},
		{"comment before", "-- what it is\nSELECT 1;", []string{"-- what it is\nSELECT 1"}},
		{"here-document", "SELECT $x$ ; ' $x$; SELECT $2", []string{"SELECT $x$ ; ' $x$", "SELECT $2"}},
		{"ends in a quote", "SELECT ''; SELECT 'a'", []string{"SELECT ''", "SELECT 'a'"}},
	} {
		got, err := clickhouse.Split(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, sql := range []string{"SELECT 1;\nSELECT 'a", "\n/* a", "\nSELECT `a\\`", "\nSELECT $$ a"} {
		if got, err := clickhouse.Split(sql); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: %q, %v; want an error that names line 2", sql, got, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"SELECT 1; SELECT ';'", "a--;\n;b", "/*;*/a;b", "$$;$$;a", "'\\';';b", "`;", ";;;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		list, err := clickhouse.Split(sql)
		if err != nil {
			return
		}
		rest := sql
		for _, st := range list {
			i := strings.Index(rest, st)
			if st == "" || i < 0 {
				t.Fatalf("%q: statement %q is empty or not the next of the text", sql, st)
			}
			rest = rest[i+len(st):]
			again, err := clickhouse.Split(st)
			if err != nil || len(again) != 1 || again[0] != st {
				t.Fatalf("%q: statement %q splits into %q, %v", sql, st, again, err)
			}
		}
	})
}
