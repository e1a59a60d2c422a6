package web_test

import (
	"io/fs"
	"strings"
	"testing"

	"mybeacon/web"
)

func TestFSHasAPageThatThePolicyAllows(t *testing.T) {
	page, err := fs.ReadFile(web.FS(), "index.html")
	if err != nil {
		t.Fatalf("read index.html: %v", err)
	}
	if !strings.Contains(string(page), "<title>MyBeacon</title>") {
		t.Errorf("index.html is not the console's page:\n%s", page)
	}
	// The server answers with script-src 'self': an inline script would be dead.
	for _, part := range strings.Split(string(page), "<script")[1:] {
		if tag, _, _ := strings.Cut(part, ">"); !strings.Contains(tag, "src=") {
			t.Errorf("index.html has an inline script: <script%s>", tag)
		}
	}
}

func TestFSHoldsEveryFileThePageNames(t *testing.T) {
	root := web.FS()
	page, err := fs.ReadFile(root, "index.html")
	if err != nil {
		t.Fatalf("read index.html: %v", err)
	}
	found := 0
	for _, attribute := range []string{`src="/`, `href="/`} {
		for _, part := range strings.Split(string(page), attribute)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			if _, err := fs.Stat(root, name); err != nil {
				t.Errorf("index.html names %s: %v", name, err)
			}
			found++
		}
	}
	if web.Built && found == 0 {
		t.Error("the built page names no script and no style")
	}
}
