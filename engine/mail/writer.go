package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"mybeacon/schema"
)

// templates holds a folder of texts for each language, and the one page around them. A
// further language is a further folder.
//
//go:embed templates
var templates embed.FS

// Languages returns the languages in which mails are written.
func Languages() []string { return []string{Russian, English} }

// Templates returns the names of all templates.
func Templates() []string {
	return []string{Confirm, Invitation, Password, FirstPassword, EmailChange, EmailChanged, Activated, Pending, Registered, Alerts, WebhookOff, Test}
}

// Rendered is a mail as people read it.
type Rendered struct{ Subject, Text, HTML string }

// Writer writes mails. It is safe for concurrent use.
type Writer struct {
	base  *url.URL
	texts map[string]*texttemplate.Template // by language/template
	page  *htmltemplate.Template
}

// NewWriter returns a writer whose links lead to the base URL, the only source of hosts
// in mails. It panics on broken templates, which are part of the program.
func NewWriter(base string) (*Writer, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, schema.Errorf(schema.Invalid, "base-url", "%q is not an address such as https://beacon.example.org", base)
	}
	w := &Writer{base: u, texts: map[string]*texttemplate.Template{}}
	w.page = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/page.html"))
	for _, language := range Languages() {
		words := path.Join("templates", language, "words.tmpl")
		for _, name := range Templates() {
			files := []string{words, path.Join("templates", language, name+".tmpl")}
			text := texttemplate.Must(texttemplate.New(name).Option("missingkey=error").ParseFS(templates, files...))
			w.texts[language+"/"+name] = text
		}
	}
	return w, nil
}

// Host returns the host of the base URL without a port.
func (w *Writer) Host() string { return w.base.Hostname() }

// page is what the HTML around the texts shows.
type page struct {
	Language, Subject, Title string
	Paragraphs               []string
	Password                 string
	Button, Link, LinkNote   string
	Note, Footer             string
	Redacted                 string // stands in the place of the link
}

// Write writes the mail.
func (w *Writer) Write(m Message) (Rendered, error) { return w.write(m, false) }

// WriteRedacted writes the mail as it is kept after it was sent: the password, and a
// link that opens something, are left out.
func (w *Writer) WriteRedacted(m Message) (Rendered, error) { return w.write(m, true) }

func (w *Writer) write(m Message, redacted bool) (Rendered, error) {
	parts := w.texts[language(m.Language)+"/"+m.Template]
	if parts == nil {
		return Rendered{}, schema.Errorf(schema.Invalid, "template", "there is no mail template %.40q: name one of %s", m.Template, strings.Join(Templates(), ", "))
	}
	p, err := w.fill(parts, m)
	if err != nil {
		return Rendered{}, err
	}
	p.redact(m, redacted)
	var html bytes.Buffer
	if err := w.page.ExecuteTemplate(&html, "page.html", p); err != nil {
		return Rendered{}, fmt.Errorf("write the mail %s: %w", m.Template, err)
	}
	return Rendered{Subject: p.Subject, Text: p.text(), HTML: html.String()}, nil
}

// fill executes each part of the template.
func (w *Writer) fill(parts *texttemplate.Template, m Message) (page, error) {
	p := page{Language: language(m.Language), Password: m.Data["password"], Link: w.Link(m.Link)}
	data := w.values(m)
	var body string
	for name, into := range map[string]*string{
		"subject": &p.Subject, "title": &p.Title, "body": &body, "button": &p.Button,
		"note": &p.Note, "footer": &p.Footer, "link-note": &p.LinkNote, "redacted": &p.Redacted,
	} {
		var out strings.Builder
		if err := parts.ExecuteTemplate(&out, name, data); err != nil {
			return page{}, fmt.Errorf("write the mail %s: %w", m.Template, err)
		}
		*into = strings.TrimSpace(out.String())
	}
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		if paragraph = strings.Join(strings.Fields(paragraph), " "); paragraph != "" {
			p.Paragraphs = append(p.Paragraphs, paragraph)
		}
	}
	p.Paragraphs = append(p.Paragraphs, m.Lines...)
	return p, nil
}

// values are what templates may show; what a message does not say is empty.
func (w *Writer) values(m Message) map[string]string {
	data := map[string]string{"host": w.base.Host}
	for _, key := range dataKeys() {
		data[key] = m.Data[key]
	}
	return data
}

// Link returns the whole address of a path, empty for none.
func (w *Writer) Link(path string) string {
	if path == "" {
		return ""
	}
	return w.base.Scheme + "://" + w.base.Host + strings.TrimSuffix(w.base.Path, "/") + path
}

// secret says that a link opens something: what does stands in the fragment.
func secret(link string) bool { return strings.Contains(link, "#") }

func (p *page) redact(m Message, redacted bool) {
	switch {
	case !redacted || !secret(m.Link):
		p.Redacted = ""
	default:
		p.Link = ""
	}
	if redacted && p.Password != "" {
		p.Password = "••••••••"
	}
}

// text is the mail for who reads no HTML.
func (p page) text() string {
	parts := append([]string{p.Title}, p.Paragraphs...)
	if p.Password != "" {
		parts = append(parts, "    "+p.Password)
	}
	if p.Link != "" {
		parts = append(parts, p.Button+":\n"+p.Link)
	}
	for _, more := range []string{p.Redacted, p.Note} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(append(parts, "-- \n"+p.Footer), "\n\n") + "\n"
}

func language(name string) string {
	if slices.Contains(Languages(), name) {
		return name
	}
	return English
}
