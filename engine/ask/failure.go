package ask

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"mybeacon/schema"
)

// maxFailure bounds what is read of a failure.
const maxFailure = 16 << 10

// Failure is what is known of a statement that failed; it is the value of the problem
// document's error.
type Failure struct {
	Code   int    `json:"code"`   // ClickHouse's
	Name   string `json:"name"`   // "UNKNOWN_IDENTIFIER"; empty: unknown
	Line   int    `json:"line"`   // counted from 1; 0: unknown
	Column int    `json:"column"` // in characters, counted from 1; 0: unknown
}

// Error implements error.
func (f Failure) Error() string { return "ClickHouse error " + strconv.Itoa(f.Code) + " " + f.Name }

// ProblemValue is the value of the problem document's error.
func (f Failure) ProblemValue() any { return f }

var (
	failureCode   = regexp.MustCompile(`Code: (\d+)\. DB::(?:Err|Exc)eption: `)
	failureName   = regexp.MustCompile(`\(([A-Z][A-Z0-9_]{3,})\)`)
	failureVer    = regexp.MustCompile(`\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)`)
	failureAt     = regexp.MustCompile(`failed at position (\d+)`)
	failureLine   = regexp.MustCompile(`\(line (\d+), col(?:umn)? (\d+)\)`)
	failureTicked = regexp.MustCompile("`([^`]+)`")
	// failureRest begins what helps nobody: the statement again, the parser's list of
	// all that could stand there, and the warehouse's own doings.
	failureRest = regexp.MustCompile(`(?s)(?:\. Expected one of:|,? ?Stack trace|: While (?:executing|processing)|: \(?while |\. In scope |: In scope ).*`)
	failurePath = regexp.MustCompile(`(?:/[\w.@%+-]+){3,}/?`)
)

// failureIn finds a failure behind the rows of an answer.
func failureIn(last []byte) (string, bool) {
	at := failureCode.FindAllIndex(last, -1)
	if len(at) == 0 {
		return "", false
	}
	text := last[at[len(at)-1][0]:]
	if end := bytes.Index(text, []byte("\r\n")); end >= 0 {
		text = text[:end]
	}
	return string(text), true
}

// explain turns what the warehouse said into what a person can do about it.
func explain(sql string, status int, text string) error {
	f := Failure{}
	if m := failureCode.FindStringSubmatch(text); m != nil {
		f.Code, _ = strconv.Atoi(m[1]) // digits
	}
	if all := failureName.FindAllStringSubmatch(text, -1); len(all) > 0 {
		f.Name = all[len(all)-1][1]
	}
	f.Line, f.Column = place(sql, text)
	e := &schema.Error{Kind: schema.Invalid, Field: "sql", Err: f}
	switch {
	case status == http.StatusUnauthorized:
		return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse refused the server's own password: tell who runs it", Err: f}
	case status == http.StatusServiceUnavailable, f.Code == codeTooMany:
		return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse has too much to do now; try again in a moment", Err: f}
	case f.Code == codeTimeout, f.Code == codeSlow:
		e.Message = "took longer than it may: narrow the time in WHERE, or ask for fewer columns"
	case f.Code == codeMemory:
		e.Message = "needs more memory than it may: narrow the time in WHERE, group by less, or add LIMIT"
	default:
		e.Message = said(text, f)
	}
	if status == http.StatusForbidden {
		e.Kind = schema.Forbidden
	}
	return e
}

// The codes of ClickHouse that are told in other words.
const (
	codeTimeout = 159
	codeSlow    = 160
	codeTooMany = 202
	codeMemory  = 241
)

// said is the failure in the warehouse's words, without those about itself.
func said(text string, f Failure) string {
	if at := failureCode.FindStringIndex(text); at != nil {
		text = text[at[1]:]
	}
	hint := ""
	if i := strings.Index(text, "Maybe you meant: "); i >= 0 {
		hint, _, _ = strings.Cut(text[i:], "]")
		hint = ". " + hint + "]"
	}
	text = failureVer.ReplaceAllString(text, "")
	text = failureRest.ReplaceAllString(text, "")
	text, _, _ = strings.Cut(text, ". Maybe you meant: ")
	text, _, _ = strings.Cut(text, " in scope ")
	text = strings.ReplaceAll(text, "("+f.Name+")", "")
	text = failurePath.ReplaceAllString(text, "…")
	text = strings.Join(strings.Fields(text), " ")
	text = strings.TrimRight(text, " .:") + hint
	if text == "" {
		return "the statement failed"
	}
	if utf8.RuneCountInString(text) > maxSaid {
		text = string([]rune(text)[:maxSaid]) + "…"
	}
	if f.Line > 0 {
		text = "line " + strconv.Itoa(f.Line) + ", column " + strconv.Itoa(f.Column) + ": " + text
	}
	return text
}

// maxSaid bounds what a person is told, in characters.
const maxSaid = 500

// place finds where in the statement the failure is: where the parser says so, else
// where a name stands that it complains of.
func place(sql, text string) (line, column int) {
	if m := failureAt.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(sql)+1 {
			return placeOf(sql, n-1)
		}
	}
	if m := failureLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits
		column, _ = strconv.Atoi(m[2])
		return line, column
	}
	if m := failureTicked.FindStringSubmatch(text); m != nil {
		if at := wordIn(sql, m[1]); at >= 0 {
			return placeOf(sql, at)
		}
	}
	return 0, 0
}

// wordIn returns where the word stands by itself, or -1.
func wordIn(sql, word string) int {
	word = strings.ToValidUTF8(word, "�") // the warehouse repeats bytes as they came, and a pattern is text
	at := regexp.MustCompile(`(?:^|[^\w.])(` + regexp.QuoteMeta(word) + `)(?:\W|$)`).FindStringSubmatchIndex(sql)
	if at == nil {
		return -1
	}
	return at[2]
}

// placeOf returns the line and column of a byte of the statement.
func placeOf(sql string, at int) (line, column int) {
	before := sql[:at]
	begin := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[begin:]) + 1
}
