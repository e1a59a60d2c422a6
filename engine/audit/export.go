package audit

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"mybeacon/schema"
)

// Format is how the log is written out.
type Format string

// The formats.
const (
	CSV Format = "csv" // RFC 4180: at, user, action, object, details, ip
	TXT Format = "txt" // a line for people: at | user | action | object and details | IP: address
)

// ExportOptions say how the log is written out.
type ExportOptions struct {
	Format   Format
	Language Language       // empty: Russian as text, English as CSV
	Zone     *time.Location // of the times as text; CSV has UTC
	BOM      bool           // before a CSV, for programs that guess encodings
}

// Writer writes entries out. Whatever people typed, a line stays a line, a terminal
// shows it as text, and a spreadsheet computes nothing. It is for one goroutine.
type Writer struct {
	opts  ExportOptions
	words words
	out   *bufio.Writer
	csv   *csv.Writer
}

// NewWriter returns a Writer and writes what comes before the entries.
func NewWriter(w io.Writer, opts ExportOptions) (*Writer, error) {
	switch opts.Format {
	case CSV:
		opts.Language = Language(or(string(opts.Language), string(English)))
	case TXT:
		opts.Language = Language(or(string(opts.Language), string(Russian)))
	default:
		return nil, schema.Errorf(schema.Invalid, "format", "is %q: choose csv or txt", opts.Format)
	}
	if opts.Language != Russian && opts.Language != English {
		return nil, schema.Errorf(schema.Invalid, "lang", "is %q: choose ru or en", opts.Language)
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	out := &Writer{opts: opts, words: wordsOf(opts.Language), out: bufio.NewWriter(w)}
	if opts.Format == TXT {
		return out, nil
	}
	if opts.BOM {
		if _, err := out.out.WriteString("\uFEFF"); err != nil {
			return nil, err
		}
	}
	out.csv = csv.NewWriter(out.out)
	out.csv.UseCRLF = true
	return out, out.csv.Write([]string{"at", "user", "action", "object", "details", "ip"})
}

// Write writes one entry.
func (w *Writer) Write(l Line) error {
	if w.csv != nil {
		return w.csv.Write([]string{
			l.At.UTC().Format(time.RFC3339Nano), inert(w.user(l)), w.words.action(l.Action), inert(w.object(l)), inert(w.details(l)), l.From,
		})
	}
	what := w.object(l)
	if details := w.details(l); details != "" {
		what += w.joint(l) + details
	}
	line := strings.Join([]string{
		l.At.In(w.opts.Zone).Format(time.DateTime), w.user(l), w.words.action(l.Action), what, "IP: " + or(l.From, "-"),
	}, " | ")
	_, err := w.out.WriteString(line + "\n")
	return err
}

// Flush writes what is still held back.
func (w *Writer) Flush() error {
	if w.csv != nil {
		if w.csv.Flush(); w.csv.Error() != nil {
			return w.csv.Error()
		}
	}
	return w.out.Flush()
}

func (w *Writer) user(l Line) string {
	who := plain(l.By.Email)
	switch {
	case who != "":
	case !l.By.User.IsZero():
		who = w.words.erased
	case l.From != "":
		who = w.words.unknown
	default:
		who = w.words.server
	}
	if l.By.Key != "" {
		who += " (" + w.words.kind("key") + " " + quote(l.By.Key) + ")"
	}
	return who
}

// object names what the entry is about: Tag #42, Location "Canteen".
func (w *Writer) object(l Line) string {
	kind, name := w.words.kind(l.Object.Kind), l.Object.Name
	if number, ok := strings.CutPrefix(name, "Receiver #"); ok {
		name = "#" + number
	}
	switch {
	case l.Action == Export && name != "":
		return plain(name)
	case name == "" && l.Object.Personal && l.Erased:
		return kind + " " + w.words.erased
	case name == "":
		return kind
	case strings.HasPrefix(name, "#"):
		return kind + " " + plain(name)
	}
	return kind + " " + quote(name)
}

func (w *Writer) joint(l Line) string {
	if l.Action == Export {
		return ", "
	}
	return ": "
}

// details tells the fields, and why a super-admin did it.
func (w *Writer) details(l Line) string {
	var parts []string
	for _, f := range l.Fields {
		switch {
		case l.Action == Export:
			parts = append(parts, plain(f.New))
		case f.Name == "name" && l.Action == Change:
			parts = append(parts, w.change(l, f))
		default:
			parts = append(parts, plain(w.words.field(f.Name))+" "+w.change(l, f))
		}
	}
	if l.By.Reason != "" {
		parts = append(parts, w.words.reason+" "+quote(l.By.Reason))
	}
	return strings.Join(parts, ", ")
}

func (w *Writer) change(l Line, f Field) string {
	switch {
	case f.Personal && l.Erased && f.Old == "" && f.New == "":
		return w.words.erased
	case f.Old == f.New: // what it belongs to, see [Of]
		return quote(f.New)
	case l.Action == Change || f.Old != "" && f.New != "":
		return quote(f.Old) + " → " + quote(f.New)
	}
	return quote(or(f.New, f.Old))
}

// quote puts the text into quotes and escapes what is no visible character.
func quote(s string) string { return strconv.Quote(s) }

// plain escapes what is no visible character, and what parts the columns of a line.
func plain(s string) string {
	quoted := strconv.Quote(s)
	return strings.NewReplacer(`\"`, `"`, `|`, `\x7c`).Replace(quoted[1 : len(quoted)-1])
}

// inert keeps spreadsheets from computing the text.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
