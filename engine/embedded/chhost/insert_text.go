package chhost

import "strings"

// insertHead is the part of an INSERT before its data.
type insertHead struct {
	target  string // "INSERT INTO db.t (a, b)"
	options string // "SETTINGS async_insert = 0 " or ""
	format  string // of the data; VALUES is the format Values
	data    int    // where the data begins in the text
}

// infile returns the statement that reads the data from a file of the host.
func (h insertHead) infile(path string) string {
	// The path is the host's own: a directory of the configuration and a number.
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(path)
	return h.target + " FROM INFILE '" + quoted + "' COMPRESSION 'none' " + h.options + "FORMAT " + h.format
}

// checked returns the statement the engine's parser is asked about.
func (h insertHead) checked() string { return h.target + " " + h.options + "FORMAT " + h.format }

// parseInsert reads the head of an INSERT that carries data. ok is false for
// anything else: other statements, INSERT … SELECT, and a text that ends or
// cannot be read before the data begins.
func parseInsert(sql string) (h insertHead, ok bool) {
	p := insertParser{lex: lexer{sql: sql}}
	if !p.word("INSERT") || !p.word("INTO") {
		return insertHead{}, false
	}
	p.word("TABLE")
	if p.word("FUNCTION") || !p.name() {
		return insertHead{}, false
	}
	optionsAt := -1
	for p.fill() {
		t := p.tok
		switch w := strings.ToUpper(sql[t.start:t.end]); {
		case t.depth > 0 || t.kind != word:
		case w == "SELECT" || w == "WITH" || w == "FROM":
			return insertHead{}, false
		case w == "SETTINGS" && optionsAt < 0:
			optionsAt = t.start
		case w == "VALUES" || w == "FORMAT":
			return p.finish(w, optionsAt)
		}
		p.have = false
	}
	return insertHead{}, false
}

// insertParser is a lexer with one token of look-ahead.
type insertParser struct {
	lex  lexer
	tok  token
	have bool
	bad  bool // the text cannot be read further
}

func (p *insertParser) fill() bool {
	if !p.have && !p.bad {
		t, ok, err := p.lex.next()
		p.tok, p.have, p.bad = t, ok && err == nil, err != nil
	}
	return p.have
}

func (p *insertParser) raw() string { return p.lex.sql[p.tok.start:p.tok.end] }

// word takes the keyword if it is next.
func (p *insertParser) word(keyword string) bool {
	if !p.fill() || p.tok.kind != word || !strings.EqualFold(p.raw(), keyword) {
		return false
	}
	p.have = false
	return true
}

// name takes a table's name, with or without its database.
func (p *insertParser) name() bool {
	for {
		if !p.fill() || p.tok.kind != word && p.tok.kind != quoted {
			return false
		}
		p.have = false
		if !p.fill() || p.tok.kind != symbol || p.raw() != "." {
			return true
		}
		p.have = false
	}
}

// finish reads from VALUES or FORMAT, the parser's token, to the data.
func (p *insertParser) finish(keyword string, optionsAt int) (insertHead, bool) {
	sql, at := p.lex.sql, p.tok.start
	h := insertHead{format: "Values", data: p.tok.end}
	p.have = false
	if keyword == "FORMAT" {
		if !p.fill() || p.tok.kind != word {
			return insertHead{}, false
		}
		h.format, h.data = p.raw(), p.tok.end
	}
	if optionsAt < 0 {
		optionsAt = at
	}
	h.target, h.options = strings.TrimSpace(sql[:optionsAt]), sql[optionsAt:at]
	h.data += len(dataSeparator(sql[h.data:]))
	return h, true
}

// dataSeparator returns what stands between a FORMAT's name and its data: blanks
// up to and including one line end, as ClickHouse reads it, so that data which
// itself begins with blanks stays whole.
func dataSeparator(s string) string {
	n := 0
	for n < len(s) && strings.IndexByte(" \t\f\r", s[n]) >= 0 {
		n++
	}
	if n < len(s) && s[n] == '\n' {
		n++
	}
	return s[:n]
}
