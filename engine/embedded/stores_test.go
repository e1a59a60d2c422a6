package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/schema"
)

func start(t *testing.T, cfg embedded.Config) *embedded.Stores {
	t.Helper()
	s, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *embedded.Stores) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func pgExec(ctx context.Context, url, sql string, into ...any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if len(into) > 0 {
		return conn.QueryRow(ctx, sql).Scan(into...)
	}
	_, err = conn.Exec(ctx, sql)
	return err
}

func chExec(ctx context.Context, url, sql string, into ...any) error {
	opts, err := clickhouse.ParseDSN(url)
	if err != nil {
		return err
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return err
	}
	defer conn.Close()
	if len(into) > 0 {
		return conn.QueryRow(ctx, sql).Scan(into...)
	}
	return conn.Exec(ctx, sql)
}

// eventually asks until try succeeds; a process that is not ours gives no signal.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func TestStartStopStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cfg := embeddedtest.Config(t)
	ctx := t.Context()
	s, err := embedded.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := pgExec(ctx, s.PostgresURL(), "CREATE TABLE kept AS SELECT 42 AS v"); err != nil {
		t.Error(err)
	}
	if err := chExec(ctx, s.ClickHouseURL(), "CREATE TABLE kept ENGINE = MergeTree ORDER BY v AS SELECT 43 AS v"); err != nil {
		t.Error(err)
	}
	for _, file := range []string{"secrets.json", "clickhouse.json", "postgres.json", "clickhouse/users.xml"} {
		if info, err := os.Stat(filepath.Join(cfg.DataDir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", file, info, err)
		}
	}
	checkEndpoints(t, cfg.DataDir, s)
	stop(t, s)
	stop(t, s) // again: nothing more happens
	if _, err := embedded.ReadEndpoint(cfg.DataDir); err == nil || !strings.Contains(err.Error(), "no server is running") {
		t.Errorf("the endpoint after the stop: %v", err)
	}
	again := start(t, cfg)
	var v int32
	if err := pgExec(ctx, again.PostgresURL(), "SELECT v FROM kept", &v); err != nil || v != 42 {
		t.Errorf("PostgreSQL kept %d, %v", v, err)
	}
	var w uint8
	if err := chExec(ctx, again.ClickHouseURL(), "SELECT v FROM kept", &w); err != nil || w != 43 {
		t.Errorf("ClickHouse kept %d, %v", w, err)
	}
	stop(t, again)
}

func checkEndpoints(t *testing.T, dir string, s *embedded.Stores) {
	t.Helper()
	e, err := embedded.ReadEndpoint(dir)
	if err != nil || e.URL != s.ClickHouseReaderURL() || e.PID != os.Getpid() {
		t.Errorf("warehouse endpoint %+v, %v", e, err)
	}
	if err := chExec(t.Context(), e.URL, "DROP TABLE kept"); err == nil {
		t.Error("the endpoint for reading could drop a table")
	}
	if e, err = embedded.ReadPostgresEndpoint(dir); err != nil || e.URL != s.PostgresURL() {
		t.Errorf("PostgreSQL endpoint %+v, %v", e, err)
	}
	// Nobody without the password, although the socket can be reached.
	if err := pgExec(t.Context(), strings.Replace(e.URL, "mybeacon:", "mybeacon:x", 1), "SELECT 1"); err == nil {
		t.Error("PostgreSQL took a wrong password")
	}
}

func TestSettingsOfTheStores(t *testing.T) {
	s := start(t, embeddedtest.Config(t))
	for _, c := range []struct{ name, want string }{
		{"jit", "off"}, {"listen_addresses", ""}, {"server_encoding", "UTF8"}, {"TimeZone", "UTC"}, {"password_encryption", "scram-sha-256"}, {"data_checksums", "on"},
	} {
		var got string
		if err := pgExec(t.Context(), s.PostgresURL(), "SELECT current_setting('"+c.name+"')", &got); err != nil || got != c.want {
			t.Errorf("%s = %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT value FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime'", "480"},
		{"SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'", "1"},
		{"SELECT toString(getSetting('compile_expressions'))", "false"},
		{"SELECT timezone()", "UTC"},
	} {
		var got string
		if err := chExec(t.Context(), s.ClickHouseURL(), c.sql, &got); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.sql, got, err, c.want)
		}
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	cfg := embeddedtest.Config(t)
	s := start(t, cfg)
	began := time.Now()
	_, err := embedded.Start(t.Context(), cfg)
	if schema.KindOf(err) != schema.Conflict || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("%v; want a conflict that names the process and the directory", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("refused after %s: something was started", took)
	}
	if err := pgExec(t.Context(), s.PostgresURL(), "SELECT 1"); err != nil {
		t.Errorf("the first server's store after the refusal: %v", err)
	}
}

func TestKilledChildIsStartedAgain(t *testing.T) {
	cfg := embeddedtest.Config(t)
	cfg.PostgresSettings = nil // as the server runs it: what is committed is kept
	s := start(t, cfg)
	ctx := t.Context()
	if err := pgExec(ctx, s.PostgresURL(), "CREATE TABLE kept AS SELECT 42 AS v"); err != nil {
		t.Fatal(err)
	}
	if err := chExec(ctx, s.ClickHouseURL(), "CREATE TABLE kept ENGINE = MergeTree ORDER BY v AS SELECT 43 AS v"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for name, pid := range map[string]int{"postgres": s.Postgres().PID(), "clickhouse": s.ClickHouse().PID()} {
			if err := embedded.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatalf("kill %s: %v", name, err)
			}
		}
		eventually(t, "PostgreSQL is back", func() error {
			var v int32
			return pgExec(ctx, s.PostgresURL(), "SELECT v FROM kept", &v)
		})
		eventually(t, "ClickHouse is back", func() error {
			var v uint8
			return chExec(ctx, s.ClickHouseURL(), "SELECT v FROM kept", &v)
		})
	}
}

// The server dies without a word: its children follow, and the next server goes on with the data.
func TestServerIsKilled(t *testing.T) {
	cfg := embeddedtest.Config(t)
	holder := startHolder(t, cfg.DataDir)
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	for _, dir := range []string{"postgres", "clickhouse"} {
		eventually(t, dir+" follows", func() error {
			if left := embedded.Orphans(filepath.Join(cfg.DataDir, dir), anything); len(left) > 0 {
				return fmt.Errorf("left: %v", left)
			}
			return nil
		})
	}
	serves(t, start(t, cfg))
}

func serves(t *testing.T, s *embedded.Stores) {
	t.Helper()
	if err := pgExec(t.Context(), s.PostgresURL(), "SELECT 1"); err != nil {
		t.Error(err)
	}
	if err := chExec(t.Context(), s.ClickHouseURL(), "SELECT 1"); err != nil {
		t.Error(err)
	}
}

// What an earlier server left running on the directory is ended, not stumbled over.
func TestOrphansAreEnded(t *testing.T) {
	cfg := embeddedtest.Config(t)
	first := start(t, cfg)
	stop(t, first)
	pgDir, chDir := filepath.Join(cfg.DataDir, "postgres"), filepath.Join(cfg.DataDir, "clickhouse")

	as := ownerOf(t, pgDir)
	pg := exec.Command(filepath.Join(programsFor(t, cfg, as), "bin", "postgres"), "-D", pgDir, "-c", "listen_addresses=", "-c", "unix_socket_directories="+pgDir)
	pg.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	orphan(t, pg, "ready to accept connections")

	ch := exec.Command(cfg.Executable, chhost.Command, "--data", chDir)
	ch.Dir = chDir
	token := strings.Repeat("a", 40)
	ch.Stdin = strings.NewReader(fmt.Sprintf(`{"Library": %q, "ServerToken": %q, "ReaderToken": %q}`, cfg.Runtime.LibChDB, token, token+"b"))
	orphan(t, ch, "warehouse ready")

	serves(t, start(t, cfg))
	for _, dir := range []string{pgDir, chDir} {
		for _, pid := range embedded.Orphans(dir, anything) {
			if pid == pg.Process.Pid || pid == ch.Process.Pid {
				t.Errorf("%s: process %d lives on beside the new one", dir, pid)
			}
		}
	}
}

// ownerOf returns the path's owner, nil for ourselves.
func ownerOf(t *testing.T, path string) *syscall.Credential {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == uint32(os.Getuid()) {
		return nil
	}
	return &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
}

// programsFor returns PostgreSQL's programs where the user can reach them: the
// repository may lie below a directory that is closed to him.
func programsFor(t *testing.T, cfg embedded.Config, as *syscall.Credential) string {
	t.Helper()
	if embedded.Reachable(filepath.Join(cfg.Runtime.PostgresDir, "bin"), as) {
		return cfg.Runtime.PostgresDir
	}
	dir, err := os.MkdirTemp("", "mybeacon-test-programs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "postgres")
	if err := os.CopyFS(copied, os.DirFS(cfg.Runtime.PostgresDir)); err != nil {
		t.Fatal(err)
	}
	if err := embedded.OpenToAll(copied); err != nil {
		t.Fatal(err)
	}
	return copied
}

// orphan starts a process and returns once it has said the words.
func orphan(t *testing.T, cmd *exec.Cmd, words string) {
	t.Helper()
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for said := ""; !strings.Contains(said, words); said = lines.Text() {
		if !lines.Scan() {
			t.Fatalf("%s ended without saying %q", cmd.Path, words)
		}
	}
	waited := make(chan struct{})
	go func() {
		for lines.Scan() { // so that it never blocks on a full pipe
		}
		_ = cmd.Wait() // its parent is this test: without it the dead process would stay listed
		close(waited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-waited
	})
}

func anything([]string) bool { return true }

func startHolder(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], holdCommand, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	var pg, ch int
	if n, _ := fmt.Sscanf(line, "running %d %d", &pg, &ch); n != 2 {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd
}

// A pid file whose number belongs to somebody else by now stops nobody.
func TestStalePidFile(t *testing.T) {
	cfg := embeddedtest.Config(t)
	s, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	pidFile := filepath.Join(cfg.DataDir, "postgres", "postmaster.pid")
	if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s\n0\n5432\n\n\n0 0\n", os.Getpid(), filepath.Dir(pidFile)), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err = embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
}

// A deep directory's name does not fit into a socket's address.
func TestDeepDirectory(t *testing.T) {
	cfg := embeddedtest.Config(t)
	if err := os.Chmod(cfg.DataDir, 0o711); err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = filepath.Join(cfg.DataDir, strings.Repeat("deep/", 25), "data")
	s, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := pgExec(t.Context(), s.PostgresURL(), "SELECT 1"); err != nil {
		t.Error(err)
	}
	stop(t, s)
}

// People's directories have names that mean something in a URL or in a list.
func TestDirectoryOfAnyName(t *testing.T) {
	for _, name := range []string{"two words", "comma, separated", `+plus%20"quoted'`, "данные"} {
		t.Run(name, func(t *testing.T) {
			cfg := embeddedtest.Config(t)
			if err := os.Chmod(cfg.DataDir, 0o711); err != nil {
				t.Fatal(err)
			}
			cfg.DataDir = filepath.Join(cfg.DataDir, name)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			s, err := embedded.Start(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := pgExec(ctx, s.PostgresURL(), "SELECT 1"); err != nil {
				t.Error(err)
			}
			if err := chExec(ctx, s.ClickHouseURL(), "SELECT 1"); err != nil {
				t.Error(err)
			}
			stop(t, s)
		})
	}
}

func TestStopWithStatementsRunning(t *testing.T) {
	s := start(t, embeddedtest.Config(t))
	done := make(chan error, 2)
	go func() { done <- pgExec(context.Background(), s.PostgresURL(), "SELECT pg_sleep(1000)") }()
	go func() {
		done <- chExec(context.Background(), s.ClickHouseURL(), "SELECT sum(sipHash64(number)) FROM numbers(10000000000000)")
	}()
	eventually(t, "both run", func() error {
		var n int64
		if err := pgExec(t.Context(), s.PostgresURL(), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'", &n); err != nil || n == 0 {
			return fmt.Errorf("PostgreSQL: %d, %v", n, err)
		}
		var m uint64
		if err := chExec(t.Context(), s.ClickHouseURL(), "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'", &m); err != nil || m == 0 {
			return fmt.Errorf("ClickHouse: %d, %v", m, err)
		}
		return nil
	})
	began := time.Now()
	stop(t, s)
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("stopping took %s", took)
	}
	for range 2 {
		if err := <-done; err == nil {
			t.Error("a statement ended well on a stopped store")
		}
	}
}
