package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"mybeacon/engine/archtest"
)

var root = os.DirFS("../..")

func TestRepositoryKeepsTheRules(t *testing.T) {
	broken, err := archtest.Check(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range broken {
		t.Error(line)
	}
}

func TestCheckFindsViolations(t *testing.T) {
	file := func(pkg, imported string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("package " + pkg + "\nimport _ \"" + imported + "\"\n")}
	}
	f := func(name, imported string, ok bool) {
		t.Helper()
		broken, err := archtest.Check(fstest.MapFS{name: file("p", imported)})
		if err != nil {
			t.Fatal(err)
		}
		if ok != (len(broken) == 0) {
			t.Errorf("%s importing %s: %v", name, imported, broken)
		}
	}
	f("schema/a.go", "fmt", true)
	f("schema/a.go", "mybeacon/geometry/fence", false)
	f("schema/a.go", "github.com/jackc/pgx/v5", false)
	f("schema/columnar/a.go", "github.com/apache/arrow/go/v15/arrow", true)
	f("geometry/fence/a.go", "github.com/golang/geo/r2", true)
	f("geometry/fence/a.go", "github.com/jackc/pgx/v5", false)
	f("geometry/fence/a.go", "mybeacon/schema", false)
	f("actors/tag/a.go", "mybeacon/geometry/locate", true)
	f("actors/tag/a.go", "mybeacon/engine/live", false)
	f("engine/ingest/a.go", "mybeacon/actors", true)
	f("engine/ingest/a.go", "mybeacon/engine/modules/ble", false)
	f("engine/ingest/a.go", "mybeacon/engine/node", false)
	f("engine/ingest/a.go", "mybeacon/edge/client", false)
	f("engine/ingest/a.go", "github.com/asynkron/protoactor-go/actor", false)
	f("engine/modules/ble/a.go", "mybeacon/engine/modules/ble/store", true)
	f("engine/modules/ble/a.go", "mybeacon/engine/modules/wifi", false)
	f("engine/modules/ble/a.go", "mybeacon/http", false)
	f("http/blehttp/a.go", "mybeacon/engine/modules/ble", true)
	f("http/blehttp/a.go", "mybeacon/engine/modules/wifi", false)
	f("http/blehttp/a.go", "mybeacon/http/corehttp", false)
	f("http/a.go", "mybeacon/engine/modules/ble", false)
	f("http/live/a.go", "github.com/coder/websocket", true)
	f("http/a.go", "github.com/coder/websocket", false)
	f("edge/client/a.go", "mybeacon/engine/ingest", false)
	f("edge/client/a.go", "mybeacon/geometry/fence", false)
	f("bench/sim/a.go", "mybeacon/engine/node", false)
	f("bench/load/a_e2e_test.go", "mybeacon/engine/cmd/mybeacon", true)
	f("engine/node/a.go", "mybeacon/http/blehttp", true)
	f("engine/sink/clickhouse/a_test.go", "mybeacon/engine/embedded/embeddedtest", true)
	f("elsewhere/a.go", "mybeacon/schema", false)
}

// goFiles calls f for every Go file of the repository that a person wrote.
func goFiles(t *testing.T, f func(name string, file *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() && (base == "node_modules" || base == "testdata" || strings.HasPrefix(base, ".") && base != ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" || !strings.Contains(name, "/") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil && !ast.IsGenerated(file) {
			f(name, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryPackageHasAPackageComment(t *testing.T) {
	documented := map[string]bool{}
	goFiles(t, func(name string, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		dir := path.Dir(name)
		documented[dir] = documented[dir] || file.Doc != nil
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment: say in doc.go what it is and its concurrency contract", dir)
		}
	}
}

// A test may sleep where time is virtual: in the function that it gives to
// synctest.Test, or in one whose comment says that it runs in a bubble.
func TestNoTestSleeps(t *testing.T) {
	goFiles(t, func(name string, file *ast.File) {
		if !strings.HasSuffix(name, "_test.go") {
			return
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); !ok || !strings.Contains(fn.Doc.Text(), "bubble") {
				ast.Walk(sleeps{t, name}, decl)
			}
		}
	})
}

// sleeps visits what is not in a bubble.
type sleeps struct {
	t    *testing.T
	name string
}

func (s sleeps) Visit(n ast.Node) ast.Visitor {
	call, ok := n.(*ast.CallExpr)
	switch {
	case ok && isSelector(call.Fun, "synctest", "Test"):
		return nil
	case ok && isSelector(call.Fun, "time", "Sleep"):
		s.t.Errorf("%s sleeps: wait for a condition, or use testing/synctest", s.name)
	}
	return s
}

func isSelector(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}

func TestNoInitFunctions(t *testing.T) {
	goFiles(t, func(name string, file *ast.File) {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: wire it in engine/node", name)
			}
		}
	})
}
