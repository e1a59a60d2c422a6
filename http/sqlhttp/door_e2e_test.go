package sqlhttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/shelltest"
	"mybeacon/http/sqlhttp"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

const path = "/api/v1/client/sql"

// site is a server whose door leads to a real warehouse with names of two
// organisations.
type site struct {
	*shelltest.Server
	tb           testing.TB
	ours, theirs postgres.Organisation
	tokens       map[string]string // of people, by e-mail
}

func open(tb testing.TB) *site {
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
	warehouse, err := clickhouse.Open(stores.ClickHouseURL(), clickhouse.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = warehouse.Close() })
	if err := warehouse.Migrate(tb.Context(), migrations.FS); err != nil {
		tb.Fatal(err)
	}
	analysts, err := clickhouse.EmbeddedAnalysts(stores.ClickHouseAnalystURL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(analysts.Close)
	s := &site{tb: tb, tokens: map[string]string{}}
	s.Server = shelltest.Start(tb, nil, func(server *shelltest.Server) {
		sqlhttp.Register(server.Server, server.DB, analysts).RegisterAsk(server.Server, sqlhttp.AskConfig{DB: server.DB, Tables: []string{"visits", "names"}})
	})
	s.ours, s.theirs = postgrestest.Organisation(tb, s.DB, "ours", "ble"), postgrestest.Organisation(tb, s.DB, "theirs", "ble")
	for rows, o := range map[int]postgres.Organisation{3: s.ours, 5: s.theirs} {
		sql := fmt.Sprintf("INSERT INTO names (org, kind, id, name, rev) SELECT '%s', 'tag', generateUUIDv4(), '%s-' || number, 1 FROM numbers(%d)", o.ID, o.Name, rows)
		if err := warehouse.Conn().Exec(tb.Context(), sql); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// token returns an API token of a person with the role, made at first use.
func (s *site) token(o postgres.Organisation, role string) string {
	s.tb.Helper()
	email := role + "@" + o.Name + ".example"
	if s.tokens[email] == "" {
		s.Account(o, email, role)
		s.tokens[email] = s.tokenOf(email)
	}
	return s.tokens[email]
}

func (s *site) tokenOf(email string) string {
	s.tb.Helper()
	var made struct{ Token string }
	s.Login(email).Want(http.StatusCreated, "POST", "/api/v1/auth/tokens", map[string]any{"name": "door"}, &made)
	return made.Token
}

// ask sends a statement with the token.
func (s *site) ask(token, query, sql string, header ...string) shelltest.Response {
	s.tb.Helper()
	c := s.Nobody()
	c.Bearer = token
	return c.Do("POST", path+query, []byte(sql), header...)
}

// Whoever calls reads the rows of his own organisation, and only who may export.
func TestWhoMayAsk(t *testing.T) {
	s := open(t)
	const count = "SELECT count() FROM names"
	for role, want := range map[string]int{"owner": 200, "admin": 200, "manager": 200, "operator": 403, "viewer": 403} {
		if r := s.ask(s.token(s.ours, role), "", count); r.StatusCode != want || want == 200 && strings.TrimSpace(string(r.Bytes)) != "3" {
			t.Errorf("%s: %d %s", role, r.StatusCode, r.Bytes)
		}
	}
	owner := s.token(s.ours, "owner")
	for query, want := range map[string]int{
		"?organisation_id=" + s.ours.ID.String(): 200, "?organisation_id=" + s.theirs.ID.String(): 404, "?organisation_id=x": 404, "?database=mybeacon": 200,
		"?database=system": 400, "?readonly=0": 200, "?log_comment=x": 400, "?additional_table_filters=x": 400, "?user=default": 400, "?organisation_id=" + schema.NewID[schema.OrganisationID]().String(): 404,
		"?query=" + url.QueryEscape("SELECT 1;"): 500, "?role=x": 400, "?session_id=x": 400, "?max_execution_time=1": 200, "?stacktrace=1": 400,
	} {
		if r := s.ask(owner, query, count); r.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", query, r.StatusCode, r.Bytes, want)
		}
	}
	admin := s.tokenOf(shelltest.AdminEmail)
	for query, want := range map[string]string{"": "400", "?organisation_id=" + s.theirs.ID.String(): "200 5", "?organisation_id=" + s.ours.ID.String(): "200 3"} {
		if r := s.ask(admin, query, count); !strings.HasPrefix(fmt.Sprint(r.StatusCode, " ", string(r.Bytes)), want) {
			t.Errorf("super-admin %s: %d %s, want %s", query, r.StatusCode, r.Bytes, want)
		}
	}
	s.Nobody().Refuse(401, "POST", path, []byte(count))
	if r := s.ask(owner, "", ""); r.StatusCode != 400 {
		t.Errorf("empty: %d %s", r.StatusCode, r.Bytes)
	}
	if r := s.ask(owner, "", "SELECT '"+strings.Repeat("x", 1<<20)+"'"); r.StatusCode != 413 {
		t.Errorf("long: %d", r.StatusCode)
	}
	if r := s.ask(owner, "", count, "X-Mybeacon-Organisation", s.theirs.ID.String()); strings.TrimSpace(string(r.Bytes)) != "3" {
		t.Errorf("a header chooses the organisation: %s", r.Bytes)
	}
}

// The key is taken wherever clients of ClickHouse put passwords.
func TestKeyAsPassword(t *testing.T) {
	s := open(t)
	token := s.token(s.ours, "owner")
	for name, set := range map[string]func(*http.Request){
		"bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		"basic":  func(r *http.Request) { r.SetBasicAuth("anybody", token) },
		"header": func(r *http.Request) {
			r.Header.Set("X-ClickHouse-User", "default")
			r.Header.Set("X-ClickHouse-Key", token)
		},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+path+"?param_p=ours%25&default_format=JSONEachRow", strings.NewReader("SELECT count() AS n FROM names WHERE name LIKE {p:String}"))
		if err != nil {
			t.Fatal(err)
		}
		set(req)
		resp, err := s.Nobody().HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || string(body) != "{\"n\":3}\n" || resp.Header.Get("X-ClickHouse-Format") != "JSONEachRow" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	for _, wrong := range []string{token + "x", "", "mbt_", "default"} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL+path, strings.NewReader("SELECT 1"))
		req.SetBasicAuth("default", wrong)
		resp, err := s.Nobody().HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 401 {
			t.Errorf("password %q: %d", wrong, resp.StatusCode)
		}
	}
}

func (s *site) client(token string) driver.Conn {
	s.tb.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.tb.Fatal(err)
	}
	conn, err := ch.Open(&ch.Options{
		Addr: []string{u.Host}, Protocol: ch.HTTP, HttpUrlPath: path,
		Auth: ch.Auth{Database: "mybeacon", Username: "default", Password: token}, Compression: &ch.Compression{Method: ch.CompressionLZ4},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// An unmodified clickhouse-go asks through the door, and cannot write.
func TestClickHouseGo(t *testing.T) {
	s := open(t)
	conn := s.client(s.token(s.ours, "owner"))
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "SELECT name, org FROM names WHERE kind = {kind:String} ORDER BY name", ch.Named("kind", "tag"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name, org string
		if err := rows.Scan(&name, &org); err != nil {
			t.Fatal(err)
		}
		if org != s.ours.ID.String() {
			t.Errorf("a row of %s", org)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || fmt.Sprint(names) != "[ours-0 ours-1 ours-2]" {
		t.Errorf("%v %v", names, err)
	}
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO names (org, kind, id, name, rev)")
	if err == nil {
		_ = batch.Append(s.theirs.ID.String(), "tag", s.theirs.ID.String(), "planted", uint64(1))
		err = batch.Send()
	}
	if err == nil {
		t.Error("a batch was taken")
	}
	if err := conn.Exec(t.Context(), "ALTER TABLE names DELETE WHERE 1"); err == nil {
		t.Error("a mutation was taken")
	}
	var n uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM names").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := conn.QueryRow(ctx, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1").Scan(&n); err == nil {
		t.Error("a statement outlived its caller")
	}
}

// Every statement is in the organisation's log, cut to a bearable length.
func TestStatementsAreLogged(t *testing.T) {
	s := open(t)
	token := s.token(s.ours, "owner")
	s.ask(token, "", "SELECT 'first'")
	padded := "/* " + strings.Repeat("я", 3000) + " */ SELECT count() FROM fixes WHERE x_m < {x:Float64}"
	s.ask(token, "?param_x=7", padded)
	s.ask(token, "", "SELECT nonsense FROM")
	lines, _, err := s.DB.AuditLog(t.Context(), postgres.In(s.ours.ID), postgres.AuditFilter{}, postgres.Page{})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, line := range lines {
		if line.Object.Kind == "warehouse" {
			var all strings.Builder
			for _, f := range line.Fields {
				all.WriteString(f.New)
			}
			said = append(said, all.String())
		}
	}
	if len(said) != 3 || said[0] != "SELECT nonsense FROM" || said[1] != padded+"param_x=7" || said[2] != "SELECT 'first'" {
		t.Errorf("the log has %.100q", said)
	}
}

// One organisation has two places, all have four; who goes frees his at once, and
// his statement ends in the warehouse.
func TestPlaces(t *testing.T) {
	s := open(t)
	owner, other := s.token(s.ours, "owner"), s.token(s.theirs, "owner")
	const sql = "SELECT number, repeat('x', 1000) FROM numbers(100000000)" // whoever reads a byte of it holds it
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	begun := make(chan struct{}, 4)
	hold := func(token string) {
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL+path+"", strings.NewReader(sql))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+token)
		client := s.Nobody().HTTP
		go func() {
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				begun <- struct{}{}
				return
			}
			_, _ = resp.Body.Read(make([]byte, 1)) // the first row: it runs
			begun <- struct{}{}
			<-ctx.Done()
			_ = resp.Body.Close()
		}()
	}
	hold(owner)
	hold(owner)
	<-begun
	<-begun
	r := s.ask(owner, "", "SELECT 1")
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("a third statement: %d %s", r.StatusCode, r.Bytes)
	}
	if r := s.ask(other, "", "SELECT 1"); r.StatusCode != 200 {
		t.Errorf("another organisation waits for the first: %d %s", r.StatusCode, r.Bytes)
	}
	leave()
	for r := s.ask(owner, "", "SELECT 1"); r.StatusCode != 200; r = s.ask(owner, "", "SELECT 1") {
		if r.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("%d %s", r.StatusCode, r.Bytes)
		}
	}
}
