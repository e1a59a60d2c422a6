package chhost_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/engine/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// connect returns an unmodified client of a database of the test's own.
func connect(tb testing.TB, change func(*clickhouse.Options)) (driver.Conn, string) {
	tb.Helper()
	address := embeddedtest.NewClickHouseDatabase(tb)
	return dial(tb, address, change), address
}

func dial(tb testing.TB, address string, change func(*clickhouse.Options)) driver.Conn {
	tb.Helper()
	opts, err := clickhouse.ParseDSN(address)
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(opts)
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends one request as curl would. The address may carry further parameters.
func ask(tb testing.TB, address string, q url.Values, body string) (status int, header http.Header, answer string) {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	if q == nil {
		q = url.Values{}
	}
	q.Set("database", strings.Trim(u.Path, "/"))
	u.Path, u.RawQuery = "/", q.Encode()
	resp, err := http.Post(u.String(), "text/plain", strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func one[T any](tb testing.TB, conn driver.Conn, sql string, args ...any) (v T) {
	tb.Helper()
	if err := conn.QueryRow(tb.Context(), sql, args...).Scan(&v); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return v
}

func exec(tb testing.TB, conn driver.Conn, sql string) {
	tb.Helper()
	if err := conn.Exec(tb.Context(), sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

func code(err error) int32 {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestWhoMayCall(t *testing.T) {
	_, address := connect(t, nil)
	u, _ := url.Parse(address)
	token, _ := u.User.Password()
	for _, c := range []struct {
		name   string
		set    func(*http.Request)
		method string
		sql    string
		want   int
	}{
		{"basic", func(r *http.Request) { r.SetBasicAuth("default", token) }, "POST", "SELECT 1", 200},
		{"key", func(r *http.Request) { r.Header.Set("X-ClickHouse-Key", token) }, "POST", "SELECT 1", 200},
		{"bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, "POST", "SELECT 1", 200},
		{"nobody", func(*http.Request) {}, "POST", "SELECT 1", 401},
		{"wrong", func(r *http.Request) { r.SetBasicAuth("default", token+"x") }, "POST", "SELECT 1", 401},
		{"empty", func(r *http.Request) { r.SetBasicAuth("default", "") }, "POST", "SELECT 1", 401},
		{"token as user", func(r *http.Request) { r.SetBasicAuth(token, "") }, "POST", "SELECT 1", 401},
		{"GET reads", func(r *http.Request) { r.SetBasicAuth("default", token) }, "GET", "SELECT 1", 200},
		{"GET changes nothing", func(r *http.Request) { r.SetBasicAuth("default", token) }, "GET", "CREATE TABLE mybeacon.x (a Int8) ENGINE = Null", 403},
		{"PUT", func(r *http.Request) { r.SetBasicAuth("default", token) }, "PUT", "SELECT 1", 405},
	} {
		req, err := http.NewRequest(c.method, "http://"+u.Host+"/?query="+url.QueryEscape(c.sql), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.set(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, resp.StatusCode, c.want)
		}
	}
	resp, err := http.Get("http://" + u.Host + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(b) != "Ok.\n" {
		t.Errorf("ping: %d %q", resp.StatusCode, b)
	}
}

// The texts that inspect refuses are refused by the running host too, and some
// more that only the engine knows.
func TestHarmIsRefused(t *testing.T) {
	conn, address := connect(t, nil)
	exec(t, conn, "CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a")
	texts := append([]string{
		"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
		"SELECT * FROM s3('http://bucket.example.com/x.csv')",
		"SELECT * FROM remote('127.0.0.1', system.one)",
		"SELECT * FROM icebergLocal('/tmp')",
		"CREATE TABLE f (a String) ENGINE = File(CSV)",
		"CREATE TABLE u (a String) ENGINE = URL('http://127.0.0.1:1/', 'CSV')",
		"CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE FUNCTION f AS (x) -> x",
		"CREATE DATABASE other",
		"CREATE TABLE default.x (a Int8) ENGINE = Memory",
		"CREATE TEMPORARY TABLE x (a Int8)",
		"SELECT 1 PARALLEL WITH SELECT 2",
		"INSERT INTO FUNCTION null('a Int8') VALUES (1)",
		"INSERT INTO system.one VALUES (1)",
		"BACKUP TABLE t TO File('/tmp/elsewhere')",
	}, harmful...)
	for _, who := range []string{address, embeddedtest.ClickHouseReader(t, address)} {
		for _, sql := range texts {
			status, _, answer := ask(t, who, nil, sql)
			if status == http.StatusOK {
				t.Errorf("accepted: %s: %q", sql, answer)
			}
		}
	}
	if n := one[uint64](t, conn, "SELECT count() FROM t"); n != 0 {
		t.Errorf("%d rows were inserted all the same", n)
	}
}

func TestReaderReadsOnly(t *testing.T) {
	conn, address := connect(t, nil)
	exec(t, conn, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
	exec(t, conn, "INSERT INTO t VALUES (7)")
	reader := dial(t, embeddedtest.ClickHouseReader(t, address), nil)
	if got := one[uint8](t, reader, "SELECT a FROM t"); got != 7 {
		t.Errorf("read %d", got)
	}
	for _, sql := range []string{"INSERT INTO t VALUES (8)", "DROP TABLE t", "ALTER TABLE t DELETE WHERE 1", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS max_execution_time = 0", "EXPLAIN SELECT 1 SETTINGS max_memory_usage = 0"} {
		if err := reader.Exec(t.Context(), sql); err == nil {
			t.Errorf("a reader ran %s", sql)
		}
	}
	if status, _, _ := ask(t, embeddedtest.ClickHouseReader(t, address), url.Values{"max_memory_usage": {"0"}}, "SELECT 1"); status == http.StatusOK {
		t.Error("a reader lifted the memory limit")
	}
	_, _, answer := ask(t, embeddedtest.ClickHouseReader(t, address), url.Values{"max_execution_time": {"100000"}}, "SELECT getSetting('max_execution_time'), getSetting('readonly')")
	if answer != "60\t1\n" {
		t.Errorf("a reader's limits are %q, want 60 s and readonly", answer)
	}
}

func TestSettings(t *testing.T) {
	_, address := connect(t, nil)
	for _, c := range []struct {
		key, value string
		want       int
		contains   string
	}{
		{"max_threads", "3", 200, "3"},
		{"max_threads", "many", 500, "Code: "},
		{"readonly", "0", 500, "Code: 115."},
		{"log_comment", "x", 500, "Code: 115."},
		{"no_such_setting", "1", 500, "Code: 115."},
		{"session_id", "1", 500, "Code: 115."},
		{"output_format_x; DROP TABLE t", "1", 500, "Code: 115."},
		{"insert_deduplication_token", "it's\\n", 200, ""},
	} {
		status, _, answer := ask(t, address, url.Values{c.key: {c.value}}, "SELECT getSetting('max_threads')")
		if status != c.want || !strings.Contains(answer, c.contains) {
			t.Errorf("%s=%s: %d %q, want %d with %q", c.key, c.value, status, answer, c.want, c.contains)
		}
	}
}

func TestParameters(t *testing.T) {
	conn, _ := connect(t, nil)
	for _, want := range []string{"", "plain", "it's", `back\slash`, "tab\tnew\nline", "юникод", "'; DROP TABLE t; --"} {
		if got := one[string](t, conn, "SELECT {s:String}", clickhouse.Named("s", want)); got != want {
			t.Errorf("named %q came back as %q", want, got)
		}
		if got := one[string](t, conn, "SELECT ?", want); got != want {
			t.Errorf("positional %q came back as %q", want, got)
		}
	}
	_, _, err := func() (int, int, error) {
		var v uint8
		return 0, 0, conn.QueryRow(t.Context(), "SELECT {n:UInt8}", clickhouse.Named("n", "x")).Scan(&v)
	}()
	if code(err) != 457 {
		t.Errorf("a wrong value: %v, want code 457", err)
	}
}

func TestErrorsBeforeTheFirstByte(t *testing.T) {
	conn, address := connect(t, nil)
	status, header, answer := ask(t, address, nil, "SELECT * FROM nothing")
	if status != 500 || header.Get("X-ClickHouse-Exception-Code") != "60" || !strings.HasPrefix(answer, "Code: 60. DB::Exception: ") {
		t.Errorf("%d, code %q, %q", status, header.Get("X-ClickHouse-Exception-Code"), answer)
	}
	if err := conn.Exec(t.Context(), "SELECT * FROM nothing"); code(err) != 60 {
		t.Errorf("through the client: %v", err)
	}
}

func TestErrorsHalfWay(t *testing.T) {
	for name, compression := range map[string]clickhouse.CompressionMethod{"plain": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4} {
		conn, _ := connect(t, func(o *clickhouse.Options) { o.Compression = &clickhouse.Compression{Method: compression} })
		rows, err := conn.Query(t.Context(), "SELECT throwIf(number = 1500000) FROM numbers(3000000) SETTINGS max_threads = 1")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Err(); code(err) != 395 || n == 0 {
			t.Errorf("%s: after %d rows: %v; want code 395 after some", name, n, err)
		}
		rows.Close()
	}
}

// Every other format than the pieceable ones arrives as one document.
func TestFormatsAreWhole(t *testing.T) {
	_, address := connect(t, nil)
	for _, c := range []struct{ format, begin, mark string }{
		{"CSVWithNames", "\"n\"\n", "\"n\"\n"},
		{"JSON", "{\n", "\"meta\":"},
		{"ArrowStream", "\xff\xff\xff\xff", "never"},
		{"Parquet", "PAR1", "never"},
	} {
		status, _, answer := ask(t, address, url.Values{"default_format": {c.format}}, "SELECT number AS n FROM numbers(200000)")
		if status != 200 || !strings.HasPrefix(answer, c.begin) || strings.Count(answer, c.mark) > 1 {
			t.Errorf("%s: %d, begins %.20q, mark %d times", c.format, status, answer, strings.Count(answer, c.mark))
		}
	}
	status, _, answer := ask(t, address, url.Values{"default_format": {"JSON"}, "max_result_bytes": {"1000"}}, "SELECT number AS n FROM numbers(200000)")
	if status == 200 || !strings.HasPrefix(answer, "Code: 396.") {
		t.Errorf("an answer over its limit: %d %.200q", status, answer)
	}
}

func TestLimitsOnText(t *testing.T) {
	_, address := connect(t, nil)
	for name, body := range map[string]string{
		"long":  "SELECT '" + strings.Repeat("a", 2<<20) + "'",
		"words": "SELECT " + strings.Repeat("1,", 300_000) + "1",
	} {
		if status, _, answer := ask(t, address, nil, body); status == 200 || len(answer) > 2000 {
			t.Errorf("%s: %d, %d bytes of answer", name, status, len(answer))
		}
	}
	req, err := http.NewRequest("POST", address+"?query=SELECT+1", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Path = "/"
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode == 200 || !strings.Contains(string(b), "Content-Encoding") {
		t.Errorf("gzip: %d %q", resp.StatusCode, b)
	}
}

// eventually asks until the condition holds; the store gives no signal of its own.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// A client that goes away takes its statement with it.
func TestCancel(t *testing.T) {
	conn, _ := connect(t, nil)
	running := func(mark string) uint64 {
		return one[uint64](t, conn, "SELECT count() FROM system.processes WHERE query LIKE {q:String} AND query NOT LIKE '%processes%'", clickhouse.Named("q", "%"+mark+"%"))
	}
	for mark, sql := range map[string]string{
		"computing": "SELECT sum(sipHash64(number)) AS computing FROM numbers(1000000000000)",
		"streaming": "SELECT number AS streaming FROM system.numbers",
		"inserting": "INSERT INTO FUNCTION_TARGET SELECT number AS inserting FROM system.numbers",
	} {
		if mark == "inserting" {
			exec(t, conn, "CREATE TABLE sink (a UInt64) ENGINE = Null")
			sql = strings.Replace(sql, "FUNCTION_TARGET", "sink", 1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			rows, err := conn.Query(ctx, sql)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
				rows.Close()
			}
			done <- err
		}()
		eventually(t, mark+" begins", func() bool { return running(mark) > 0 })
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%s: no error after cancel", mark)
		}
		eventually(t, mark+" ends", func() bool { return running(mark) == 0 })
	}
}

func TestTimeLimit(t *testing.T) {
	conn, _ := connect(t, func(o *clickhouse.Options) { o.Settings = clickhouse.Settings{"max_execution_time": 1} })
	err := conn.Exec(t.Context(), "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
	if code(err) != 159 {
		t.Errorf("%v, want code 159", err)
	}
}

func TestStreamManyRows(t *testing.T) {
	conn, _ := connect(t, nil)
	rows, err := conn.Query(t.Context(), "SELECT number, toString(number) FROM numbers(1000000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n, sum uint64
	for rows.Next() {
		var v uint64
		var s string
		if err := rows.Scan(&v, &s); err != nil {
			t.Fatal(err)
		}
		if s != fmt.Sprint(v) {
			t.Fatalf("row %d: %d and %q", n, v, s)
		}
		n, sum = n+1, sum+v
	}
	if err := rows.Err(); err != nil || n != 1_000_000 || sum != 499_999_500_000 {
		t.Errorf("%d rows, sum %d, %v", n, sum, err)
	}
}
