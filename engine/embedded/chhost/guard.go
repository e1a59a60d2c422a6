package chhost

import (
	"fmt"
	"slices"
	"strings"

	"mybeacon/engine/embedded/chdb"
)

// class is who calls.
type class uint8

const (
	server  class = iota // the server itself: schema, inserts, queries
	reader               // reads only
	analyst              // reads the rows of one organisation only
)

// ClickHouse's codes for what the host itself refuses.
const (
	codeSyntax      = 62
	codeSetting     = 115
	codeTimeout     = 159
	codeReadonly    = 164
	codeTooMany     = 202
	codeTooLarge    = 396
	codeUnsupported = 48
	codeAuth        = 516
	codeAborted     = 236
	codeDenied      = 497
)

// refuse is an error of the host in the engine's form.
func refuse(code int, format string, args ...any) error {
	return &chdb.Error{Code: code, Message: fmt.Sprintf("Code: %d. DB::Exception: %s", code, fmt.Sprintf(format, args...))}
}

var readerFirst = []string{"SELECT", "WITH", "FROM", "(", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}

var serverFirst = append([]string{
	"INSERT", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "EXCHANGE", "OPTIMIZE", "DELETE", "UPDATE", "CHECK",
	"BACKUP", "RESTORE",
}, readerFirst...)

// inspect reads a caller's text and refuses what neither grants nor the
// engine's parser keep out.
func inspect(sql string, who class) (statement, error) {
	list, err := tokens(sql)
	if err != nil {
		return statement{}, refuse(codeSyntax, "%v", err)
	}
	st := statement{sql: sql, list: list}
	if len(list) == 0 {
		return st, refuse(codeSyntax, "Empty query")
	}
	allowed := serverFirst
	switch who {
	case reader:
		allowed = readerFirst
	case analyst:
		allowed = analystFirst
	}
	if !slices.Contains(allowed, st.first()) {
		return st, refuse(codeDenied, "%.20s statements are not accepted here", st.first())
	}
	for i := range list {
		if err := st.refuseToken(i); err != nil {
			return st, err
		}
	}
	return st, nil
}

func (s statement) refuseToken(i int) error {
	raw := s.raw(i)
	switch s.list[i].kind {
	case symbol:
		if raw == ";" && i+1 < len(s.list) {
			return refuse(codeSyntax, "one statement at a time, please: something follows the ;")
		}
	case word:
		// Both are carried out by the engine's client part, which grants do not bind.
		if strings.EqualFold(raw, "INFILE") || strings.EqualFold(raw, "OUTFILE") {
			return refuse(codeDenied, "%s is not accepted here", strings.ToUpper(raw))
		}
		return s.refuseFile(raw)
	case quoted:
		return s.refuseFile(raw[1 : len(raw)-1])
	}
	return nil
}

// refuseFile keeps out the function file(path): inside the library it reads any
// file the process can, whatever the grants, and it can be named without being
// called (APPLY, arrayMap). So the name itself is refused.
func (s statement) refuseFile(name string) error {
	if strings.EqualFold(name, "file") {
		return refuse(codeDenied, "the name %q is not accepted here: it would read files of the host", name)
	}
	return nil
}

// classify asks the engine's own parser how many statements there are and of what class.
func classify(conn *chdb.Conn, req *request) error {
	a, err := conn.Classify(req.st.sql)
	if err != nil {
		return err
	}
	switch {
	case a.Statements == 0:
		return nil // does not parse: running it yields the engine's syntax error, with the position
	case a.Statements != 1:
		return refuse(codeSyntax, "one statement at a time, please: this text holds %d", a.Statements)
	case a.Class == chdb.ReadOnly:
		return nil
	case req.who != server:
		return refuse(codeReadonly, "Cannot execute query in readonly mode. (READONLY)")
	case a.Class == chdb.Mutating:
		return nil
	case a.Class == chdb.Control && (req.st.first() == "BACKUP" || req.st.first() == "RESTORE"):
		return nil
	case a.Class == chdb.Control && req.insert != nil:
		return nil // an INSERT into a table that sets async_insert
	}
	return refuse(codeDenied, "statements of this kind are not accepted here")
}
