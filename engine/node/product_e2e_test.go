package node_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// product is the word of the product that the test adds.
const product = "temperature"

// registries are the files outside of a product's own folders that name it, and what
// is written into each: an entry and the import it needs, each behind the line of
// the product that is there already.
var registries = map[string]map[string]string{
	"engine/node/modules.go": {
		"\t\"mybeacon/http/corehttp\"\n": "\t\"mybeacon/http/temperaturehttp\"\n",
		"\t\tblehttp.Product(),\n":       "\t\ttemperaturehttp.Product(),\n",
	},
	"web/src/app/registry.ts": {
		"import { ble } from '@/modules/ble'\n": "import temperature from '@/modules/temperature'\n",
		"  ...ble,\n":                           "  temperature,\n",
	},
}

// ownFolders are a product's, by the places where products are.
var ownFolders = []string{"engine/modules/" + product, "http/" + product + "http", "web/src/modules/" + product}

// A new product touches its own folders and the registries: laid over the tree, its
// files make a server that has it, and pass tests of their own for what the core
// gives every product.
func TestNewProduct(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for _, file := range layOver(t, root, replace) {
		if !slices.ContainsFunc(ownFolders, func(dir string) bool { return strings.HasPrefix(file, dir+"/") }) {
			t.Errorf("%s is in no folder of the product", file)
		}
	}
	for registry, additions := range registries {
		text, err := os.ReadFile(filepath.Join(root, registry))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), product) {
			t.Errorf("%s names the product already", registry)
		}
		added := filepath.Join(t.TempDir(), filepath.Base(registry))
		if err := os.WriteFile(added, []byte(insert(t, registry, string(text), additions)), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, registry)] = added
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	runProduct(t, root, overlay)
}

// runProduct builds the product's tests, which start a server, and runs them.
func runProduct(t *testing.T, root, overlay string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "product.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay="+overlay, "-o", program, "./http/"+product+"http")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	test := exec.CommandContext(t.Context(), program, "-test.v")
	test.Dir = filepath.Join(root, "engine/node")
	out, err := test.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestInTheServer") {
		t.Errorf("%v\n%s", err, out)
	}
}

// layOver puts the product's files at their places, and returns those places.
func layOver(t *testing.T, root string, replace map[string]string) []string {
	t.Helper()
	from := filepath.Join(root, "engine/node/testdata", product)
	var files []string
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(from, path)
		files = append(files, filepath.ToSlash(file))
		replace[filepath.Join(root, file)] = path
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// insert adds each line behind the one that it belongs to.
func insert(t *testing.T, registry, text string, additions map[string]string) string {
	t.Helper()
	for behind, line := range additions {
		if strings.Count(text, behind) != 1 {
			t.Fatalf("%s has not one line %q", registry, behind)
		}
		text = strings.Replace(text, behind, behind+line, 1)
	}
	return text
}

// Nothing of the tree knows the product but tests: no list in the core, no right, no
// page waits for it.
func TestNothingKnowsTheProduct(t *testing.T) {
	root := os.DirFS("../..")
	for _, top := range []string{"engine", "http", "schema", "actors", "web/src"} {
		err := fs.WalkDir(root, top, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules"):
				return fs.SkipDir
			case entry.IsDir() || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := fs.ReadFile(root, path)
			if strings.Contains(path, product) || strings.Contains(string(text), product) {
				t.Errorf("%s names %s", path, product)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
