package audit_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

func at(text string) time.Time {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t.Add(-3 * time.Hour) // Moscow's time
}

func moscow(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func export(t testing.TB, opts audit.ExportOptions, lines ...audit.Line) string {
	t.Helper()
	var out bytes.Buffer
	w, err := audit.NewWriter(&out, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if err := w.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// line is an entry of the customer's example user.
func line(when string, action audit.Action, object audit.Object, fields ...audit.Field) audit.Line {
	return audit.Line{
		At: at(when), By: audit.Actor{User: schema.NewID[schema.UserID](), Email: "user@example.com"}, From: "192.168.1.100",
		Entry: audit.Entry{Action: action, Object: object, Fields: fields},
	}
}

// The first three lines are the customer's own.
func TestTextLines(t *testing.T) {
	f := func(want string, l audit.Line) {
		t.Helper()
		if got := export(t, audit.ExportOptions{Format: audit.TXT, Zone: moscow(t)}, l); got != want+"\n" {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	f(`2024-01-15 10:30:45 | user@example.com | Просмотр | Локация "Магазин на Ленина" | IP: 192.168.1.100`,
		line("2024-01-15 10:30:45", audit.View, audit.Object{Kind: "location", Name: "Магазин на Ленина"}))
	f(`2024-01-15 10:31:12 | user@example.com | Изменение | Метка #42: "Велосипед №5" → "Велосипед №6" | IP: 192.168.1.100`,
		line("2024-01-15 10:31:12", audit.Change, audit.Object{Kind: "tag", Name: "#42"}, audit.Field{Name: "name", Old: "Велосипед №5", New: "Велосипед №6"}))
	f(`2024-01-15 10:35:00 | user@example.com | Экспорт | WiFi Analytics, 2024-01-01 - 2024-01-15, CSV | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.Export, audit.Object{Kind: "data", Name: "WiFi Analytics"},
			audit.Made("period", "2024-01-01 - 2024-01-15"), audit.Made("format", "CSV")))

	f(`2024-01-15 10:35:00 | user@example.com | Изменение | Приёмник #5: локация "" → "Склад", поворот "0" → "90" | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.Change, audit.Object{Kind: "device", Name: "Receiver #5"},
			audit.Field{Name: "location", New: "Склад"}, audit.Field{Name: "rotation", Old: "0", New: "90"}))
	f(`2024-01-15 10:35:00 | user@example.com | Создание | Зона "Столовая": цвет "#ff9800" | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.Create, audit.Object{Kind: "zone", Name: "Столовая"}, audit.Made("color", "#ff9800")))
	f(`2024-01-15 10:35:00 | user@example.com | Вход | Сеанс | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.Login, audit.Object{Kind: "session"}))

	// A name that would be a second line, a colour or a column stays a name.
	f(`2024-01-15 10:35:00 | user@example.com | Просмотр | Метка "a\"\n2024 | \x1b[31mroot\u202e" | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.View, audit.Object{Kind: "tag", Name: "a\"\n2024 | \x1b[31mroot\u202e"}))
	f(`2024-01-15 10:35:00 | user@example.com | Экспорт | a \x7c IP: 1.1.1.1\n, CSV | IP: 192.168.1.100`,
		line("2024-01-15 10:35:00", audit.Export, audit.Object{Kind: "data", Name: "a | IP: 1.1.1.1\n"}, audit.Made("format", "CSV")))

	server := line("2024-01-15 10:35:00", audit.System, audit.Object{Kind: "log"})
	server.By, server.From = audit.Actor{}, ""
	f(`2024-01-15 10:35:00 | система | Система | Журнал | IP: -`, server)
	stranger := line("2024-01-15 10:35:00", audit.LoginFailed, audit.Object{Kind: "session"}, audit.Made("email", "who@example.com"))
	stranger.By = audit.Actor{}
	f(`2024-01-15 10:35:00 | неизвестный | Неудачный вход | Сеанс: e-mail "who@example.com" | IP: 192.168.1.100`, stranger)
	key := line("2024-01-15 10:35:00", audit.Delete, audit.Object{Kind: "tag", Name: "x"})
	key.By.Key, key.By.Reason = "reports", "a call"
	f(`2024-01-15 10:35:00 | user@example.com (Ключ API "reports") | Удаление | Метка "x": причина "a call" | IP: 192.168.1.100`, key)
	erased := line("2024-01-15 10:35:00", audit.Users, audit.Object{Kind: audit.KindUser, ID: "x", Personal: true}, audit.Field{Name: "email", Personal: true})
	erased.By.Email, erased.From, erased.Erased = "", "", true
	f(`2024-01-15 10:35:00 | (удалён) | Пользователи | Пользователь (удалён): e-mail (удалён) | IP: -`, erased)
}

// What people named like a formula is text in a spreadsheet, and the file is what RFC
// 4180 says.
func TestCSVIsInert(t *testing.T) {
	hostile := line("2024-01-15 10:35:00", audit.Export, audit.Object{Kind: "data", Name: `=HYPERLINK("http://x","a,b")`}, audit.Made("format", "-1+1"))
	hostile.By.Email = "@SUM(A1)"
	tame := line("2024-01-15 10:36:00", audit.Change, audit.Object{Kind: "tag", Name: "Велосипед №5"}, audit.Field{Name: "name", Old: "a\r\nb", New: `"`})
	text := export(t, audit.ExportOptions{Format: audit.CSV, BOM: true}, hostile, tame)
	rest, ok := strings.CutPrefix(text, "\uFEFF")
	if !ok || strings.Count(rest, "\r\n") != 3 || strings.Count(rest, "\n") != 3 {
		t.Errorf("%q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"at", "user", "action", "object", "details", "ip"},
		{"2024-01-15T07:35:00Z", "'@SUM(A1)", "export", `'=HYPERLINK("http://x","a,b")`, "'-1+1", "192.168.1.100"},
		{"2024-01-15T07:36:00Z", "user@example.com", "change", `Tag "Велосипед №5"`, `"a\r\nb" → "\""`, "192.168.1.100"},
	}
	for i := range want {
		if strings.Join(rows[i], "|") != strings.Join(want[i], "|") {
			t.Errorf("row %d\n%q\nwant\n%q", i, rows[i], want[i])
		}
	}
}

func TestUnknownFormats(t *testing.T) {
	for field, opts := range map[string]audit.ExportOptions{
		"format": {Format: "xls"}, "lang": {Format: audit.CSV, Language: "de"},
	} {
		_, err := audit.NewWriter(&bytes.Buffer{}, opts)
		if e, ok := err.(*schema.Error); !ok || e.Field != field {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

func FuzzLineStaysALine(f *testing.F) {
	f.Add("a\nb", "c | IP: 1", "=1")
	f.Add("\x1b[2J", "\u202e\u2028", "\xff\x00")
	f.Fuzz(func(t *testing.T, name, old, email string) {
		l := line("2024-01-15 10:35:00", audit.Change, audit.Object{Kind: "tag", Name: name}, audit.Field{Name: "name", Old: old, New: "x"})
		l.By.Email = email
		for _, action := range []audit.Action{audit.Change, audit.Export} {
			l.Action = action
			got := export(t, audit.ExportOptions{Format: audit.TXT}, l)
			for _, r := range strings.TrimSuffix(got, "\n") {
				if r < ' ' || r == 0x7f || r == 0x2028 || r >= 0x202a && r <= 0x202e {
					t.Fatalf("%q holds %q", got, r)
				}
			}
		}
	})
}
