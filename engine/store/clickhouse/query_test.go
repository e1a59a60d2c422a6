package clickhouse_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
)

func TestQuery(t *testing.T) {
	_, url := open(t)
	reader := embeddedtest.ClickHouseReader(t, url)
	for _, c := range []struct{ sql, format, want string }{
		{"SELECT 1, 'a'", "", "1\ta\n"},
		{"SELECT 1, 'a';", "CSV", "1,\"a\"\n"},
		{"SELECT 1 AS n FORMAT JSONEachRow", "CSV", "{\"n\":1}\n"},
		{"SELECT 1 AS n", "JSONCompactEachRow", "[1]\n"},
		{"SELECT number AS n FROM numbers(200000) ORDER BY n DESC LIMIT 1 BY n % 2", "CSVWithNames", "\"n\"\n199999\n199998\n"},
		{"SHOW TABLES", "", ""},
		{"SELECT 1 WHERE 0", "", ""},
	} {
		var out bytes.Buffer
		if err := clickhouse.Query(t.Context(), reader, c.sql, c.format, &out); err != nil || out.String() != c.want {
			t.Errorf("%s as %q: %q, %v; want %q", c.sql, c.format, out.String(), err, c.want)
		}
	}
}

func TestQueryErrors(t *testing.T) {
	db, url := open(t)
	reader := embeddedtest.ClickHouseReader(t, url)
	for _, c := range []struct{ sql, want string }{
		{"SELECT * FROM nothing", "Code: 60."},
		{"SELEC 1", "Code: 497."},
		{"SELECT FROM WHERE", "Code: 62."},
		{"CREATE TABLE x (a Int8) ENGINE = Null", "not accepted here"},
	} {
		var out bytes.Buffer
		err := clickhouse.Query(t.Context(), reader, c.sql, "", &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%s: %v with output %q, want %q and none", c.sql, err, out.String(), c.want)
		}
	}
	err := clickhouse.Query(t.Context(), "http://default:wrong@"+strings.SplitN(url, "@", 2)[1], "SELECT 1", "", io.Discard)
	if err == nil || !strings.Contains(err.Error(), "Authentication failed") {
		t.Errorf("a wrong password: %v", err)
	}
	err = clickhouse.Query(t.Context(), "clickhouse://host:9000/db", "SELECT 1", "", io.Discard)
	if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "HTTP interface") {
		t.Errorf("a native address: %v", err)
	}
	if err := db.Query(t.Context(), "SELECT 1", "NoSuchFormat", io.Discard); err == nil || !strings.Contains(err.Error(), "Code: 73.") {
		t.Errorf("an unknown format: %v", err)
	}
}

// An error half-way is reported, the rows before it are written, the error's text is not.
func TestQueryFailsHalfWay(t *testing.T) {
	db, _ := open(t)
	var out bytes.Buffer
	err := db.Query(t.Context(), "SELECT throwIf(number = 1500000, 'enough') FROM numbers(3000000) SETTINGS max_block_size = 65536, max_threads = 1", "", &out)
	if err == nil || !strings.Contains(err.Error(), "Code: 395.") || !strings.Contains(err.Error(), "enough") {
		t.Fatalf("error %v, want code 395 with the text", err)
	}
	if strings.Trim(out.String(), "0\n") != "" || out.Len() < 1_000_000 {
		t.Errorf("%d bytes of output, or something else than rows in it", out.Len())
	}
}

func TestQueryStreams(t *testing.T) {
	db, _ := open(t)
	var out counter
	if err := db.Query(t.Context(), "SELECT number FROM numbers(1000000)", "RowBinary", &out); err != nil || out != 8_000_000 {
		t.Errorf("%d bytes, %v; want 8000000", out, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })
	if err := db.Query(ctx, "SELECT number FROM system.numbers", "RowBinary", w); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCopyAnswer(t *testing.T) {
	const tag = "0123456789abcdef"
	long := strings.Repeat("row\n", 30_000)
	frame := func(msg string) string {
		return fmt.Sprintf("\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", tag, msg, len(msg)+1, tag)
	}
	for name, c := range map[string]struct {
		body, tag, out, err string
		end                 error
	}{
		"plain":                 {long, tag, long, "", io.EOF},
		"empty":                 {"", tag, "", "", io.EOF},
		"error":                 {long + frame("Code: 1. two\nlines"), tag, long, "Code: 1. two\nlines", io.ErrUnexpectedEOF},
		"only an error":         {frame("Code: 1."), tag, "", "Code: 1.", io.EOF},
		"data like an error":    {"__exception__\r\nx", tag, "__exception__\r\nx", "", io.EOF},
		"no tag":                {frame("a"), "", frame("a"), "", io.EOF},
		"cut short":             {long, tag, long, "cut short", io.ErrUnexpectedEOF},
		"error without its end": {"a\r\n__exception__\r\n" + tag + "\r\nCode: 2.", tag, "a", "Code: 2.", io.ErrUnexpectedEOF},
	} {
		for reading, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader} {
			var out bytes.Buffer
			body := io.MultiReader(strings.NewReader(c.body), iotest.ErrReader(c.end))
			err := clickhouse.CopyAnswer(&out, wrap(body), c.tag)
			if out.String() != c.out {
				t.Errorf("%s, %s: %d bytes of output, want %d", name, reading, out.Len(), len(c.out))
			}
			if got := fmt.Sprint(err); c.err == "" && err != nil || !strings.Contains(got, c.err) {
				t.Errorf("%s, %s: error %v, want %q", name, reading, err, c.err)
			}
		}
	}
}
