package chhost

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// Config is what the parent hands the host on standard input, as JSON: the
// tokens must not appear among the arguments.
type Config struct {
	Library      string // path of libchdb.so
	ServerToken  string // of the server itself
	ReaderToken  string // of readers
	AnalystToken string // of analysts, empty: none are let in
	Analysts     Given  // what analysts may read
	Limits       Limits
}

// Given is what analysts may read in the database mybeacon.
type Given struct {
	Filtered []string // tables with a column org: they see the rows of their organisation
	Views    []string // over those tables
}

// Limits bound what callers can take. The zero value of a field means the default.
type Limits struct {
	QueryBytes        int64         // of a statement's text; default 1 MiB
	InsertBytes       int64         // of an INSERT's data, decompressed; default 512 MiB
	ResultBytes       int64         // of an answer that cannot be streamed; default 256 MiB
	Inserts           int           // at once; default 4
	Queries           int           // of the server, at once; default 8
	Reads             int           // of readers, at once; default 4
	SlotWait          time.Duration // for one of those; default 20 s
	Execution         time.Duration // of a statement; default 300 s
	ReaderExecution   time.Duration // of a reader's statement; default 60 s
	AnalystExecution  time.Duration // of an analyst's statement; default 30 s
	WriteStall        time.Duration // a client may stop reading its answer; default 60 s
	QueryMemoryBytes  int64         // of a statement; default 1.5 GiB
	AnalystMemory     int64         // bytes, of an analyst's statement; default 512 MiB
	ServerMemoryBytes int64         // of the whole engine; default 3 GiB
}

// WithDefaults returns the limits with every zero field filled in.
func (l Limits) WithDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{
		{&l.QueryBytes, 1 << 20}, {&l.InsertBytes, 512 << 20}, {&l.ResultBytes, 256 << 20},
		{&l.QueryMemoryBytes, 3 << 29}, {&l.AnalystMemory, 512 << 20}, {&l.ServerMemoryBytes, 3 << 30},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Inserts, 4}, {&l.Queries, 8}, {&l.Reads, 4}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{{&l.SlotWait, 20 * time.Second}, {&l.Execution, 300 * time.Second}, {&l.ReaderExecution, time.Minute}, {&l.AnalystExecution, 30 * time.Second}, {&l.WriteStall, time.Minute}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

func readConfig(r io.Reader) (Config, error) {
	var cfg Config
	dec := json.NewDecoder(io.LimitReader(r, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("read the configuration on standard input: %w", err)
	}
	if cfg.Library == "" || len(cfg.ServerToken) < 32 || len(cfg.ReaderToken) < 32 || cfg.ServerToken == cfg.ReaderToken {
		return Config{}, errors.New("the configuration on standard input lacks the library or two different tokens of at least 32 characters")
	}
	if cfg.AnalystToken != "" && (len(cfg.AnalystToken) < 32 || cfg.AnalystToken == cfg.ServerToken || cfg.AnalystToken == cfg.ReaderToken) {
		return Config{}, errors.New("the analysts' token is short or another's")
	}
	cfg.Limits = cfg.Limits.WithDefaults()
	return cfg, nil
}

// layout is where the host keeps things, all under its data directory.
type layout struct{ root string }

func (l layout) engine() string  { return filepath.Join(l.root, "engine") }
func (l layout) inbox() string   { return filepath.Join(l.root, "inbox") } // data of INSERTs under way
func (l layout) backups() string { return filepath.Join(l.root, "backups") }
func (l layout) config() string  { return filepath.Join(l.root, "config.xml") }
func (l layout) users() string   { return filepath.Join(l.root, "users.xml") }

// prepare makes the directories, sweeps what a crash left in the inbox and
// writes the engine's configuration. verbose makes the engine explain itself on
// standard error.
func (l layout) prepare(cfg Config, rowFilter string, verbose bool) error {
	if err := os.RemoveAll(l.inbox()); err != nil {
		return fmt.Errorf("sweep the inbox: %w", err)
	}
	for _, dir := range []string{l.root, l.engine(), l.inbox(), l.backups()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	values := map[string]any{"Engine": l.engine(), "Backups": l.backups(), "Users": l.users(),
		"Limits": cfg.Limits, "Level": "none", "Console": 0, "Filtered": cfg.Analysts.Filtered, "Filter": rowFilter, "Database": database}
	if verbose {
		values["Level"], values["Console"] = "trace", 1
	}
	return errors.Join(render(l.config(), configXML, values), render(l.users(), usersXML, values))
}

func render(path, tmpl string, values map[string]any) error {
	t, err := template.New(filepath.Base(path)).Funcs(template.FuncMap{"xml": escapeXML}).Parse(tmpl)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	var b strings.Builder
	if err := t.Execute(&b, values); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

func escapeXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// old_parts_lifetime: the library's default is 0, which deletes merged parts at
// once; 480 s is the server's, and what makes a torn merge recoverable. fsync:
// an insert is acknowledged to a scanner, so it must survive a power cut.
const configXML = `<clickhouse>
  <logger><level>{{.Level}}</level><console>{{.Console}}</console></logger>
  <path>{{xml .Engine}}/</path>
  <tmp_path>{{xml .Engine}}/tmp/</tmp_path>
  <user_files_path>{{xml .Engine}}/user_files/</user_files_path>
  <user_scripts_path>{{xml .Engine}}/user_scripts/</user_scripts_path>
  <mark_cache_size>134217728</mark_cache_size>
  <max_server_memory_usage>{{.Limits.ServerMemoryBytes}}</max_server_memory_usage>
  <remote_url_allow_hosts></remote_url_allow_hosts>
  <merge_tree>
    <old_parts_lifetime>480</old_parts_lifetime>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
  </merge_tree>
  <backups><allowed_path>{{xml .Backups}}</allowed_path></backups>
  <user_directories><users_xml><path>{{xml .Users}}</path></users_xml></user_directories>
</clickhouse>
`

// The engine's own compiler is off: it needs memory that is writable and
// executable, which a hardened service is not given.
// No grant on any source (file, url, s3 …), on functions or on dictionaries:
// what is not listed is refused with code 497.
const usersXML = `<clickhouse>
  <profiles><default>
    <compile_expressions>0</compile_expressions>
    <compile_aggregate_expressions>0</compile_aggregate_expressions>
    <compile_sort_description>0</compile_sort_description>
    <async_insert>0</async_insert>
    <max_execution_time>{{.Limits.Execution.Seconds}}</max_execution_time>
    <max_memory_usage>{{.Limits.QueryMemoryBytes}}</max_memory_usage>
    <max_query_size>{{.Limits.QueryBytes}}</max_query_size>
  </default></profiles>
  <quotas><default></default></quotas>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
{{if .Filtered}}    <databases><{{.Database}}>
{{range .Filtered}}      <{{.}}><filter>{{xml $.Filter}}</filter></{{.}}>
{{end}}    </{{.Database}}></databases>
{{end}}    <grants>
      <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP DATABASE, DROP TABLE, DROP VIEW, UNDROP TABLE, TRUNCATE, OPTIMIZE, BACKUP ON mybeacon*.*</query>
      <query>GRANT SHOW, SELECT ON system.*</query>
      <query>GRANT SHOW, SELECT ON information_schema.*</query>
      <query>GRANT KILL QUERY ON *.*</query>
    </grants>
  </default></users>
</clickhouse>
`
