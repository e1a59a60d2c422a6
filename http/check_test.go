package http_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	shell "mybeacon/http"
	"mybeacon/schema"
)

func TestCheckText(t *testing.T) {
	f := func(text, want string, ok bool) {
		t.Helper()
		got, err := shell.CheckText("name", text, 1, 10)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
		if err != nil && (schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "name")) {
			t.Errorf("%q: the error names no field: %v", text, err)
		}
	}
	f("  Столовая ", "Столовая", true)
	f("Зал\u00a0№ 5", "Зал\u00a0№ 5", true)
	f("ten letter", "ten letter", true)
	f("eleven char", "", false)
	f(" ", "", false)
	f("a\nb", "", false)
	f("\x1b[2J", "", false)
	f("\u202egnp.exe", "", false)
	f("\xff", "", false)
}

func TestCheckTimeZone(t *testing.T) {
	for name, want := range map[string]string{"": "UTC", "Europe/Moscow": "Europe/Moscow"} {
		if got, err := shell.CheckTimeZone(name); err != nil || got != want {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"Local", "Mars/Base", "../etc/passwd", "/etc/passwd"} {
		if _, err := shell.CheckTimeZone(name); schema.KindOf(err) != schema.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What passes as a text commands neither a terminal, a mail's header nor a
// spreadsheet's row, and passes unchanged a second time.
func FuzzCheckText(f *testing.F) {
	for _, seed := range []string{"", "Мария", " a ", "a\nb", "\x1b[2J", "\u202egnp.exe", "\xff", "\u00a0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		name, err := shell.CheckText("name", said, 1, 200)
		if err != nil {
			return
		}
		again, err := shell.CheckText("name", name, 1, 200)
		if err != nil || again != name || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
			t.Errorf("%q passes as %q, then as %q, %v", said, name, again, err)
		}
	})
}
