package chhost

import (
	"fmt"
	"strings"
)

// tokenKind says what a piece of SQL text is.
type tokenKind uint8

const (
	word   tokenKind = iota // bare word or number
	quoted                  // identifier in `…` or "…"
	text                    // string in '…'
	symbol                  // one character of punctuation
)

// token is a piece of SQL text at [start, end).
type token struct {
	kind       tokenKind
	start, end int
	depth      int // of brackets around it
}

// lexer cuts SQL into tokens. It is stricter than ClickHouse on purpose:
// whatever the two could read differently (unusual comments, typographic
// quotes, here-documents, escapes in identifiers) is an error here, so that a
// text cannot hide from the checks what the engine would see.
type lexer struct {
	sql   string
	pos   int
	depth int
}

// next returns the next token; ok is false at the end.
func (l *lexer) next() (t token, ok bool, err error) {
	if err := l.skipBlank(); err != nil {
		return token{}, false, err
	}
	if l.pos == len(l.sql) {
		return token{}, false, nil
	}
	t = token{start: l.pos, depth: l.depth}
	c := l.sql[l.pos]
	switch {
	case c == '\'':
		t.kind, err = text, l.quotedBy('\'', true)
	case c == '`' || c == '"':
		t.kind, err = quoted, l.quotedBy(c, false)
	case isWordByte(c):
		t.kind, err = word, l.word()
	case strings.IndexByte("$#\\\x00", c) >= 0 || c >= 0x80:
		return t, false, fmt.Errorf("character %q outside quotes is not accepted here", l.sql[l.pos:min(l.pos+4, len(l.sql))])
	default:
		t.kind, err = symbol, l.symbol(c)
		t.depth = min(t.depth, l.depth)
	}
	t.end = l.pos
	return t, err == nil, err
}

func (l *lexer) symbol(c byte) error {
	l.pos++
	switch c {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		if l.depth == 0 {
			return fmt.Errorf("unmatched %q", c)
		}
		l.depth--
	}
	return nil
}

func (l *lexer) word() error {
	start := l.pos
	for l.pos < len(l.sql) && isWordByte(l.sql[l.pos]) {
		l.pos++
	}
	if w := l.sql[start:l.pos]; !strings.EqualFold(w, "x") && !strings.EqualFold(w, "b") {
		return nil
	}
	// x'4142' and b'0101' have no escapes, unlike other strings.
	if rest, isString := strings.CutPrefix(l.sql[l.pos:], "'"); isString {
		digits, _, _ := strings.Cut(rest, "'")
		if strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
			return fmt.Errorf("a hexadecimal or binary string holds something else")
		}
	}
	return nil
}

// quotedBy moves past a quoted piece. A doubled quote stands for itself;
// backslash escapes are read where they are allowed.
func (l *lexer) quotedBy(quote byte, escapes bool) error {
	for l.pos++; l.pos < len(l.sql); l.pos++ {
		switch c := l.sql[l.pos]; {
		case c == '\\' && !escapes:
			return fmt.Errorf("an escape inside a quoted name is not accepted here")
		case c == '\\':
			l.pos++
		case c == quote && l.pos+1 < len(l.sql) && l.sql[l.pos+1] == quote:
			l.pos++
		case c == quote:
			l.pos++
			return nil
		}
	}
	l.pos = len(l.sql)
	return fmt.Errorf("a quote %c is not closed", quote)
}

func (l *lexer) skipBlank() error {
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"):
			line, _, _ := strings.Cut(rest, "\n")
			l.pos += len(line)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return fmt.Errorf("a comment is not closed")
			}
			l.pos += n + 4
		case strings.HasPrefix(rest, "//"):
			return fmt.Errorf("%q is not accepted here: write comments as --", "//")
		default:
			return nil
		}
	}
	return nil
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// tokens cuts the whole text. A bound keeps a hostile text from costing memory
// out of proportion.
func tokens(sql string) ([]token, error) {
	const most = 200_000
	l := lexer{sql: sql}
	var list []token
	for {
		t, ok, err := l.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if len(list) == most {
			return nil, fmt.Errorf("the statement has more than %d words", most)
		}
		list = append(list, t)
	}
	if l.depth != 0 {
		return nil, fmt.Errorf("a bracket is not closed")
	}
	return list, nil
}

// statement is a text with its tokens.
type statement struct {
	sql  string
	list []token
}

// raw returns token i's text, or "" past the end.
func (s statement) raw(i int) string {
	if i < 0 || i >= len(s.list) {
		return ""
	}
	return s.sql[s.list[i].start:s.list[i].end]
}

// is reports whether token i is the bare word, in any case.
func (s statement) is(i int, keyword string) bool {
	return i >= 0 && i < len(s.list) && s.list[i].kind == word && strings.EqualFold(s.raw(i), keyword)
}

// first returns the statement's first word in capitals, or its first symbol.
func (s statement) first() string { return strings.ToUpper(s.raw(0)) }
