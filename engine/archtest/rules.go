package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the import path of the repository's root.
const module = "mybeacon"

// layer is one row of the dependency table: the folder and what of the project
// it may import. The longest matching folder decides. A name matches itself and
// all below it; "=name" matches the package alone; "!name" takes it out again.
type layer struct {
	dir string
	may []string
}

// layers is the dependency table of ARCHITECTURE.md.
var layers = []layer{
	{"schema", nil},
	{"schema/columnar", []string{"=schema", "schema/columnar"}},
	{"schema/wire", []string{"=schema", "schema/wire"}},
	{"geometry", []string{"geometry"}},
	{"actors", []string{"schema", "geometry", "actors"}},
	{"edge", []string{"schema", "edge", "!edge/cmd"}},
	{"engine", []string{"schema", "geometry", "actors", "engine", "!engine/modules", "!engine/node", "!engine/cmd"}},
	{"engine/modules", []string{"schema", "geometry", "engine", "!engine/node", "!engine/cmd"}},
	{"engine/node", []string{"schema", "geometry", "actors", "engine", "http", "web", "!engine/cmd"}},
	{"engine/cmd", []string{"schema", "engine", "edge/client", "edge/scan", "bench/replay", "bench/demo", "bench/seed"}},
	{"http", []string{"schema", "geometry", "engine", "=http", "http/table", "!engine/modules", "!engine/node", "!engine/cmd"}},
	{"bench", []string{"schema", "geometry", "actors", "engine", "edge", "bench", "!engine/cmd", "!bench/cmd"}},
	{"bench/sim", []string{"schema", "geometry", "bench/sim"}},
	{"bench/recording", []string{"schema", "bench/recording"}},
	{"bench/replay", []string{"schema", "edge/client", "engine/provision", "bench/recording", "bench/replay"}},
	{"bench/seed", []string{"schema", "engine", "!engine/cmd", "!engine/node", "bench/sim", "bench/seed"}},
	{"bench/demo", []string{"schema", "edge/client", "engine/provision", "bench/sim", "bench/demo"}},
	{"web", nil},
}

// confined lists where a third-party library may appear outside of tests.
var confined = map[string][]string{
	"github.com/asynkron/protoactor-go":   {"actors", "engine/node"},
	"github.com/ClickHouse/clickhouse-go": {"engine/sink/clickhouse", "engine/store/clickhouse", "engine/modules", "engine/embedded", "bench/load"},
	"github.com/ClickHouse/ch-go":         {"engine/embedded"},
	"github.com/jackc/pgx":                {"engine/store/postgres", "engine/jobs", "engine/embedded", "engine/modules", "engine/alert", "http"},
	"github.com/apache/arrow":             {"schema/columnar", "engine/batch", "engine/spill", "engine/sink", "engine/export", "bench/load", "bench/seed"},
	"github.com/coder/websocket":          {"http/live", "http/tunnel", "edge/client", "edge/tunnel", "bench/load", "bench/soak"},
	"github.com/pkg/sftp":                 {"http/tunnel", "edge/tunnel", "engine/export"},
	"github.com/golang/geo":               {"geometry", "actors", "engine", "http", "bench"},
	"github.com/danielgtaylor/huma":       {"http"},
	"github.com/ebitengine/purego":        {"engine/embedded"},
	"github.com/alecthomas/kong":          {"engine/cmd", "edge/cmd", "bench/cmd"},
	"github.com/riverqueue/river":         {"engine/jobs", "engine/store/postgres"},
	"github.com/wneessen/go-mail":         {"engine/mail"},
}

// stdOnly lists the folders that import nothing but the standard library and
// what is named.
var stdOnly = map[string][]string{
	"schema":   {},
	"geometry": {"github.com/golang/geo"},
}

// Check reads every Go file below root and returns one line for each import
// that breaks a rule, sorted.
func Check(root fs.FS) ([]string, error) {
	var broken []string
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skip(name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || !strings.Contains(name, "/"):
			return nil
		}
		found, err := checkFile(root, name)
		broken = append(broken, found...)
		return err
	})
	slices.Sort(broken)
	return broken, err
}

func skip(dir string) bool {
	base := path.Base(dir)
	return base == "node_modules" || base == "testdata" || base == "dist" || len(base) > 1 && strings.HasPrefix(base, ".")
}

func checkFile(root fs.FS, name string) ([]string, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	dir, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	if strings.HasSuffix(name, "_e2e_test.go") {
		return nil, nil
	}
	var broken []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if why := judge(dir, imported, test); why != "" {
			broken = append(broken, fmt.Sprintf("%s imports %s: %s", name, imported, why))
		}
	}
	return broken, nil
}

// judge returns why the package in dir may not import the path, or "".
func judge(dir, imported string, test bool) string {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return judgeOwn(dir, own, test)
	}
	if test || !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		return ""
	}
	return judgeThirdParty(dir, imported)
}

func judgeOwn(dir, own string, test bool) string {
	l, ok := layerOf(dir)
	switch {
	case !ok:
		return "the folder is in no row of the dependency table"
	case own == dir, test && testMay(dir, own):
		return ""
	case foreignModule(dir, own):
		return "a module never imports another: what two need moves down to engine or geometry"
	case allowed(l.may, own), ownHTTP(dir, own):
		return ""
	}
	return fmt.Sprintf("%s may import only %s", l.dir, strings.Join(l.may, " "))
}

// testMay holds the freedoms of tests: the embedded stores, the warehouse's
// migrations, the test kits, and the folder's own layer in full.
func testMay(dir, own string) bool {
	if own == "engine/embedded/embeddedtest" || own == "actors/actortest" {
		return !within(dir, "schema") && !within(dir, "geometry") && !within(dir, "edge")
	}
	return within(own, "schema") || within(own, strings.SplitN(dir, "/", 2)[0]) && !within(own, "engine/node") && !within(own, "engine/cmd")
}

// foreignModule reports an import from one product's folder into another's.
func foreignModule(dir, own string) bool {
	from, to := moduleOf(dir), moduleOf(own)
	return from != "" && to != "" && from != to
}

// ownHTTP lets http/blehttp see engine/modules/ble, and http/x its own parts.
func ownHTTP(dir, own string) bool {
	if from, to := moduleOf(dir), moduleOf(own); from != "" && from == to {
		return true
	}
	return strings.HasPrefix(dir, "http/") && within(own, strings.Join(strings.SplitN(dir, "/", 3)[:2], "/"))
}

// moduleOf returns the product a folder belongs to: "ble" for
// engine/modules/ble/… and http/blehttp, "" for the core.
func moduleOf(dir string) string {
	if rest, ok := strings.CutPrefix(dir, "engine/modules/"); ok {
		return strings.SplitN(rest, "/", 2)[0]
	}
	if rest, ok := strings.CutPrefix(dir, "http/"); ok {
		first := strings.SplitN(rest, "/", 2)[0]
		if name, ok := strings.CutSuffix(first, "http"); ok && name != "core" {
			return name
		}
	}
	return ""
}

func layerOf(dir string) (layer, bool) {
	var best layer
	for _, l := range layers {
		if within(dir, l.dir) && len(l.dir) > len(best.dir) {
			best = l
		}
	}
	return best, best.dir != ""
}

// allowed reports whether the longest rule that matches admits the package.
func allowed(rules []string, own string) bool {
	best, admits := -1, false
	for _, rule := range rules {
		name, deny := strings.CutPrefix(rule, "!")
		name, exact := strings.CutPrefix(name, "=")
		if exact && own != name || !exact && !within(own, name) {
			continue
		}
		if len(name) > best {
			best, admits = len(name), !deny
		}
	}
	return admits
}

func judgeThirdParty(dir, imported string) string {
	for top, extra := range stdOnly {
		if dir == top || top == "geometry" && within(dir, top) {
			if !slices.ContainsFunc(extra, func(p string) bool { return within(imported, p) }) {
				return top + " imports the standard library only"
			}
		}
	}
	for library, dirs := range confined {
		if within(imported, library) && !slices.ContainsFunc(dirs, func(d string) bool { return within(dir, d) }) {
			return "it is confined to " + strings.Join(dirs, ", ")
		}
	}
	return ""
}

func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }
