package mail_test

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/mail"
	"mybeacon/schema"
)

var update = flag.Bool("update", false, "write the golden mails anew")

const base = "https://beacon.example.org"

func newWriter(t testing.TB) *mail.Writer {
	t.Helper()
	w, err := mail.NewWriter(base)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// full is a message of the template with all that its mails can hold.
func full(template, language string) mail.Message {
	m := mail.Message{To: "maria@example.org", Language: language, Template: template, Data: map[string]string{
		"organisation": "Canteen & Sons", "name": "Maria", "products": "BLE tracking, Wi-Fi analytics",
		"email": "new@example.org", "phone": "+7 900 000-00-00", "by": "Ivan",
		"first": "Forklift 7 entered Cold store", "more": "1", "webhook": "On call", "why": "the receiver answered 500",
	}}
	switch template {
	case mail.Confirm, mail.EmailChange:
		m.Link = "/confirm#TOKEN"
	case mail.Invitation:
		m.Link = "/invitation#TOKEN"
	case mail.Password, mail.FirstPassword:
		m.Link = "/password#TOKEN"
	case mail.EmailChanged:
	case mail.Alerts:
		m.Link, m.Lines = "/alerts", []string{"Forklift 7 entered Cold store", "Anna left the canteen"}
	default:
		m.Link = "/"
	}
	return m
}

// Every mail in every language is what somebody has read and approved. Write them anew
// with -update, and read them.
func TestGolden(t *testing.T) {
	w := newWriter(t)
	for _, language := range mail.Languages() {
		for _, template := range mail.Templates() {
			r, err := w.Write(full(template, language))
			if err != nil {
				t.Errorf("%s/%s: %v", language, template, err)
				continue
			}
			golden(t, filepath.Join("testdata", language, template+".txt"), "Subject: "+r.Subject+"\n\n"+r.Text)
			golden(t, filepath.Join("testdata", language, template+".html"), r.HTML)
		}
	}
	generated := full(mail.FirstPassword, mail.Russian)
	generated.Link, generated.Data["password"] = "/login", "Kx7-generated"
	r, err := w.Write(generated)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/ru/generated_password.txt", "Subject: "+r.Subject+"\n\n"+r.Text)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// Nothing but the address must be known: every other value may be missing.
func TestBareMessages(t *testing.T) {
	w := newWriter(t)
	for _, language := range append(mail.Languages(), "") {
		for _, template := range mail.Templates() {
			m := mail.Message{To: "maria@example.org", Language: language, Template: template}
			r, err := w.Write(m)
			if err != nil || m.Validate() != nil || r.Subject == "" || len(r.Text) < 100 || strings.Contains(r.Text+r.HTML, "<no value>") {
				t.Errorf("%s/%s: %v %v\n%s", language, template, err, m.Validate(), r.Text)
			}
			if strings.Contains(r.Text, "«»") || strings.Contains(r.Text, " ,") || strings.Contains(r.Text, " .") {
				t.Errorf("%s/%s has a hole where a name would be:\n%s", language, template, r.Text)
			}
		}
	}
}

// What people call themselves is text in the page and no mark-up.
func TestNamesAreEscaped(t *testing.T) {
	w := newWriter(t)
	const name = `<script>alert(1)</script>"><a href="https://thief.example">`
	for _, template := range mail.Templates() {
		m := full(template, mail.Russian)
		for key := range m.Data {
			m.Data[key] = name
		}
		r, err := w.Write(m)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.HTML, "<script") || strings.Contains(r.HTML, `href="https://thief`) {
			t.Errorf("%s: a name became mark-up:\n%s", template, r.HTML)
		}
	}
}

// Links lead to the configured address and nowhere else, whatever the path says.
func TestLinks(t *testing.T) {
	for configured, want := range map[string]string{
		"https://beacon.example.org":           "https://beacon.example.org/confirm#T",
		"https://beacon.example.org/":          "https://beacon.example.org/confirm#T",
		"https://example.org/beacon/":          "https://example.org/beacon/confirm#T",
		"http://127.0.0.1:8080":                "http://127.0.0.1:8080/confirm#T",
		"https://user:pass@beacon.example.org": "https://beacon.example.org/confirm#T",
	} {
		w, err := mail.NewWriter(configured)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.Write(mail.Message{To: "a@example.org", Template: mail.Confirm, Link: "/confirm#T"})
		if err != nil || !strings.Contains(r.Text, "\n"+want+"\n") || !strings.Contains(r.HTML, `href="`+want+`"`) {
			t.Errorf("%s: %v\n%s", configured, err, r.Text)
		}
	}
	for _, bad := range []string{"", "beacon.example.org", "ftp://beacon.example.org", "https://"} {
		if _, err := mail.NewWriter(bad); schema.KindOf(err) != schema.Invalid {
			t.Errorf("the base URL %q: %v", bad, err)
		}
	}
}

func TestRedacted(t *testing.T) {
	w := newWriter(t)
	m := full(mail.FirstPassword, mail.English)
	m.Data["password"] = "hunter2"
	r, err := w.WriteRedacted(m)
	if err != nil || strings.Contains(r.Text+r.HTML, "TOKEN") || strings.Contains(r.Text+r.HTML, "hunter2") {
		t.Errorf("%v\n%s", err, r.Text)
	}
	if r, err = w.WriteRedacted(full(mail.Activated, mail.English)); err != nil || !strings.Contains(r.Text, base+"/\n") {
		t.Errorf("a link that opens nothing was removed: %v\n%s", err, r.Text)
	}
}

// What could become a header, another recipient or another host is refused.
func TestValidate(t *testing.T) {
	f := func(field string, change func(*mail.Message)) {
		t.Helper()
		m := full(mail.Confirm, mail.English)
		change(&m)
		if err := m.Validate(); schema.KindOf(err) != schema.Invalid || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("want the field %s: %v", field, err)
		}
	}
	if err := full(mail.Confirm, mail.English).Validate(); err != nil {
		t.Error(err)
	}
	for _, to := range []string{"", "maria", "Maria <maria@example.org>", "a@b.org, c@d.org", "a@b.org\r\nBcc: c@d.org", "a@b.org\n", strings.Repeat("a", 250) + "@b.org"} {
		f("to", func(m *mail.Message) { m.To = to })
	}
	for _, name := range []string{"a\r\nBcc: thief@example.org", "a\nb", "a\x00", "a\u2028b", "\xff", strings.Repeat("a", 501)} {
		f("organisation", func(m *mail.Message) { m.Data["organisation"] = name })
	}
	for _, link := range []string{"//thief.example/", "https://thief.example", `/\thief.example`, "/a b", "/a\r\n", "confirm", "/" + strings.Repeat("a", 1000)} {
		f("link", func(m *mail.Message) { m.Link = link })
	}
	f("data", func(m *mail.Message) { m.Data["balance"] = "1" })
	f("template", func(m *mail.Message) { m.Template = "../secret" })
	f("language", func(m *mail.Message) { m.Language = "tlh" })
}

// FuzzMessage looks for a value that gets out of its place.
func FuzzMessage(f *testing.F) {
	f.Add("Canteen", "/confirm#T")
	f.Add("<b>\r\n", "//thief.example")
	f.Add("{{.password}}", `/\thief`)
	w := newWriter(f)
	f.Fuzz(func(t *testing.T, name, link string) {
		m := mail.Message{To: "a@example.org", Template: mail.Invitation, Data: map[string]string{"organisation": name, "by": name}, Link: link}
		if m.Validate() != nil {
			return
		}
		r, err := w.Write(m)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(r.Subject, "\r\n") {
			t.Errorf("the subject has two lines: %q", r.Subject)
		}
		if link == "" {
			return
		}
		if u, err := url.Parse(base + link); err == nil && u.Host != "beacon.example.org" {
			t.Errorf("the link leads to %q", u.Host)
		}
	})
}
