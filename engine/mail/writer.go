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
	return []string{Confirm, Invitation, Password, FirstPassword, EmailChange, EmailChanged, Activated, Pending, Registered, Test}
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
	Base                     string
}

// Write writes the mail. Without secrets, a place holder stands where a link or a
// password was.
func (w *Writer) Write(m Message) (Rendered, error) {
	parts := w.texts[language(m.Language)+"/"+m.Template]
	if parts == nil {
		return Rendered{}, schema.Errorf(schema.Invalid, "template", "there is no mail template %.40q: name one of %s", m.Template, strings.Join(Templates(), ", "))
	}
	p, err := w.fill(parts, m)
	if err != nil {
		return Rendered{}, err
	}
	var html bytes.Buffer
	if err := w.page.ExecuteTemplate(&html, "page.html", p); err != nil {
		return Rendered{}, fmt.Errorf("write the mail %s: %w", m.Template, err)
	}
	return Rendered{Subject: p.Subject, Text: p.text(), HTML: html.String()}, nil
}

// fill executes each part of the template.
func (w *Writer) fill(parts *texttemplate.Template, m Message) (page, error) {
	p := page{Language: language(m.Language), Base: w.base.Scheme + "://" + w.base.Host}
	p.Password, p.Link = m.Data["password"], w.link(m.Link)
	data := w.values(m)
	var body string
	for name, into := range map[string]*string{
		"subject": &p.Subject, "title": &p.Title, "body": &body, "button": &p.Button,
		"note": &p.Note, "footer": &p.Footer, "link-note": &p.LinkNote,
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
	return p, nil
}

// values are what templates may show; what a message does not say is empty.
func (w *Writer) values(m Message) map[string]string {
	data := map[string]string{"host": w.base.Host, "link": m.Link}
	for _, key := range dataKeys() {
		data[key] = m.Data[key]
	}
	return data
}

// link puts the base URL before a path; a place holder, which is no path, stays.
func (w *Writer) link(path string) string {
	if !strings.HasPrefix(path, "/") {
		return path
	}
	return w.base.Scheme + "://" + w.base.Host + strings.TrimSuffix(w.base.Path, "/") + path
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
	if p.Note != "" {
		parts = append(parts, p.Note)
	}
	return strings.Join(append(parts, "-- \n"+p.Footer), "\n\n") + "\n"
}

func language(name string) string {
	if slices.Contains(Languages(), name) {
		return name
	}
	return English
}
