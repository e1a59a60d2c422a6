package chhost_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
)

const factsTable = `CREATE TABLE facts
(
    org    UUID,
    device UUID,
    at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    boot   LowCardinality(String),
    seq    UInt64 CODEC(Delta, ZSTD(1)),
    rssi   Int16,
    left_at Nullable(DateTime64(3, 'UTC'))
)
ENGINE = ReplacingMergeTree PARTITION BY toDate(at) ORDER BY (org, device, at, boot, seq)
SETTINGS non_replicated_deduplication_window = 1000`

// columns are n rows of facts.
type columns struct {
	org, device []string
	at          []time.Time
	boot        []string
	seq         []uint64
	rssi        []int16
	leftAt      []*time.Time
}

func factColumns(n int, firstSeq uint64) columns {
	rnd := rand.New(rand.NewPCG(1, firstSeq))
	var c columns
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 7 * time.Millisecond)
		c.org = append(c.org, "01000000-0000-0000-0000-000000000000")
		c.device = append(c.device, fmt.Sprintf("02%06x-0000-0000-0000-000000000000", rnd.IntN(50)))
		c.at = append(c.at, at)
		c.boot = append(c.boot, fmt.Sprintf("boot-%d", rnd.IntN(3)))
		c.seq = append(c.seq, firstSeq+uint64(i))
		c.rssi = append(c.rssi, int16(-3000-rnd.IntN(6000)))
		if i%2 == 0 {
			c.leftAt = append(c.leftAt, nil)
		} else {
			c.leftAt = append(c.leftAt, &at)
		}
	}
	return c
}

func (c columns) insert(ctx context.Context, conn driver.Conn, token string) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO facts (org, device, at, boot, seq, rssi, left_at)")
	if err != nil {
		return err
	}
	defer batch.Close() // gives the connection back also after an error
	for i, values := range []any{c.org, c.device, c.at, c.boot, c.seq, c.rssi, c.leftAt} {
		if err := batch.Column(i).Append(values); err != nil {
			return err
		}
	}
	return batch.Send()
}

func TestInsertBatches(t *testing.T) {
	for _, compression := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD} {
		conn, _ := connect(t, func(o *clickhouse.Options) { o.Compression = &clickhouse.Compression{Method: compression, Level: 1} })
		exec(t, conn, factsTable)
		var rows uint64
		for _, n := range []int{1, 10_000, 100_000} {
			c := factColumns(n, rows)
			if err := c.insert(t.Context(), conn, fmt.Sprint("batch ", n)); err != nil {
				t.Fatalf("%s, %d rows: %v", compression, n, err)
			}
			rows += uint64(n)
			if got := one[uint64](t, conn, "SELECT count() FROM facts FINAL"); got != rows {
				t.Fatalf("%s: %d rows stored, want %d", compression, got, rows)
			}
		}
		// Not only as many, but the same.
		c := factColumns(100_000, 10_001)
		type row struct {
			Device string     `ch:"device"`
			At     time.Time  `ch:"at"`
			Boot   string     `ch:"boot"`
			RSSI   int16      `ch:"rssi"`
			LeftAt *time.Time `ch:"left_at"`
		}
		var got []row
		if err := conn.Select(t.Context(), &got, "SELECT toString(device) AS device, at, boot, rssi, left_at FROM facts WHERE seq >= 10001 ORDER BY seq LIMIT 1000"); err != nil {
			t.Fatal(err)
		}
		want := make([]row, 1000)
		for i := range want {
			want[i] = row{c.device[i], c.at[i], c.boot[i], c.rssi[i], c.leftAt[i]}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%.2000s", compression, diff)
		}
	}
}

func TestInsertTwiceWithOneToken(t *testing.T) {
	conn, _ := connect(t, nil)
	exec(t, conn, factsTable)
	first, other := factColumns(500, 0), factColumns(500, 500)
	for _, c := range []struct {
		data  columns
		token string
		want  uint64
	}{
		{first, "a", 500},
		{first, "a", 500},
		{other, "a", 500}, // the token alone decides
		{other, "it's b", 1000},
		{first, "c", 1500}, // another token: stored again, until FINAL
	} {
		if err := c.data.insert(t.Context(), conn, c.token); err != nil {
			t.Fatal(err)
		}
		if got := one[uint64](t, conn, "SELECT count() FROM facts"); got != c.want {
			t.Errorf("after token %q: %d rows, want %d", c.token, got, c.want)
		}
	}
	if got := one[uint64](t, conn, "SELECT count() FROM facts FINAL"); got != 1000 {
		t.Errorf("%d rows under FINAL, want 1000", got)
	}
}

func TestInsertText(t *testing.T) {
	conn, address := connect(t, nil)
	exec(t, conn, "CREATE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
	exec(t, conn, "INSERT INTO t VALUES (1, 'it''s; fine'), (2, concat('x', 'y'));")
	exec(t, conn, "INSERT INTO t (s, a) SETTINGS async_insert = 0 FORMAT CSV\nlast,3\n")
	exec(t, conn, "INSERT INTO t SELECT 4, 'four'")
	if err := conn.Exec(t.Context(), "INSERT INTO t VALUES ({a:UInt32}, {s:String})", clickhouse.Named("a", uint32(5)), clickhouse.Named("s", `b\s`)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, body string }{
		{"INSERT INTO t FORMAT CSV", "6,six\n"},
		{"INSERT INTO t VALUES", "(7,'seven')"},
		{"INSERT INTO t FORMAT JSONEachRow {\"a\":8,\"s\":\"eight\"}", "{\"a\":9,\"s\":\"nine\"}"},
		{"", "INSERT INTO t FORMAT TabSeparated\n10\t" + strings.Repeat("long ", 40_000) + "\n"},
	} {
		q := url.Values{}
		if c.query != "" {
			q.Set("query", c.query)
		}
		if status, _, answer := ask(t, address, q, c.body); status != 200 {
			t.Errorf("%s %.40q: %d %s", c.query, c.body, status, answer)
		}
	}
	_, _, got := ask(t, address, nil, "SELECT a, left(s, 10), length(s) FROM t ORDER BY a")
	want := "1\tit\\'s; fine\t10\n2\txy\t2\n3\tlast\t4\n4\tfour\t4\n5\tb\\\\s\t3\n6\tsix\t3\n7\tseven\t5\n8\teight\t5\n9\tnine\t4\n10\tlong long \t200000\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A batch that cannot be read whole leaves nothing behind.
func TestInsertBroken(t *testing.T) {
	conn, address := connect(t, nil)
	exec(t, conn, "CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
	for _, c := range []struct{ query, body, decompress string }{
		{"INSERT INTO t FORMAT RowBinary", "\x01\x00\x00\x00\x02", ""},
		{"INSERT INTO t FORMAT Native", "nonsense", ""},
		{"INSERT INTO t FORMAT Native", "neither is this compressed data", "1"},
		{"INSERT INTO t FORMAT CSV", "1\n2\nx\n", ""},
		{"INSERT INTO nothing FORMAT CSV", "1\n", ""},
		{"INSERT INTO t FORMAT NoSuchFormat", "1\n", ""},
	} {
		q := url.Values{"query": {c.query}}
		if c.decompress != "" {
			q.Set("decompress", c.decompress)
		}
		if status, header, answer := ask(t, address, q, c.body); status == 200 || header.Get("X-ClickHouse-Exception-Code") == "" {
			t.Errorf("%s %q: %d %s", c.query, c.body, status, answer)
		}
	}
	// A sender that breaks off in the middle of its body.
	u, _ := url.Parse(address)
	token, _ := u.User.Password()
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST /?database=%s&query=INSERT+INTO+t+FORMAT+CSV HTTP/1.1\r\nHost: x\r\nX-ClickHouse-Key: %s\r\nContent-Length: 1000\r\n\r\n1\n2\n", strings.Trim(u.Path, "/"), token)
	c.(*net.TCPConn).CloseWrite()
	answer := make([]byte, 1000)
	n, _ := c.Read(answer)
	c.Close()
	if strings.Contains(string(answer[:n]), "200 OK") {
		t.Errorf("half a body was accepted: %s", answer[:n])
	}
	if got := one[uint64](t, conn, "SELECT count() FROM t"); got != 0 {
		t.Errorf("%d rows of broken batches are stored", got)
	}
}

// Inserts, streams, changes of schema and cancelled statements at once: every
// acknowledged row is there, nothing fails that was not cancelled.
func TestConcurrency(t *testing.T) {
	conn, _ := connect(t, func(o *clickhouse.Options) { o.MaxOpenConns = 16 })
	exec(t, conn, factsTable)
	const writers, batches, rows = 3, 20, 1000
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for b := range batches {
				first := uint64((w*batches + b) * rows)
				if err := factColumns(rows, first).insert(t.Context(), conn, fmt.Sprint(first)); err != nil {
					t.Errorf("insert: %v", err)
				}
			}
		})
	}
	for range 2 {
		group.Go(func() {
			for range 15 {
				stream(t, conn, 300_000)
			}
		})
	}
	group.Go(func() {
		for i := range 15 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*4*time.Millisecond)
			_ = conn.Exec(ctx, "SELECT sum(sipHash64(number)) FROM numbers(100000000000)")
			cancel()
		}
	})
	group.Go(func() {
		for i := range 15 {
			table := fmt.Sprintf("temporary_%d", i)
			for _, sql := range []string{"CREATE TABLE " + table + " (a Int8) ENGINE = MergeTree ORDER BY a", "INSERT INTO " + table + " VALUES (1)", "DROP TABLE " + table + " SYNC"} {
				if err := conn.Exec(t.Context(), sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		}
	})
	group.Wait()
	if got := one[uint64](t, conn, "SELECT count() FROM facts FINAL"); got != writers*batches*rows {
		t.Errorf("%d rows, want %d", got, writers*batches*rows)
	}
}

func stream(t *testing.T, conn driver.Conn, n int) {
	rows, err := conn.Query(t.Context(), "SELECT number FROM numbers({n:UInt64})", clickhouse.Named("n", n))
	if err != nil {
		t.Errorf("stream: %v", err)
		return
	}
	defer rows.Close()
	got := 0
	for rows.Next() {
		got++
	}
	if err := rows.Err(); err != nil || got != n {
		t.Errorf("stream: %d rows of %d, %v", got, n, err)
	}
}
