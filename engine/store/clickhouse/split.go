package clickhouse

import (
	"fmt"
	"strings"
)

// split cuts the text of a migration into its statements, at semicolons that
// stand outside quotes and comments. Statements keep their comments; a piece of
// nothing but comments is no statement. A quote or comment that is not closed is
// an error.
func split(sql string) ([]string, error) {
	var list []string
	start, bare := 0, true // bare: nothing but blanks and comments since start
	add := func(end int) {
		if !bare {
			list = append(list, strings.TrimSpace(sql[start:end]))
		}
		start, bare = end+1, true
	}
	for pos := 0; pos < len(sql); {
		if sql[pos] == ';' {
			add(pos)
			pos++
			continue
		}
		n, blank, err := piece(sql[pos:])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", 1+strings.Count(sql[:pos], "\n"), err)
		}
		bare = bare && blank
		pos += n
	}
	add(len(sql))
	return list, nil
}

// piece measures what stands at the beginning of rest: a comment, something
// quoted, or one character. blank says that it is no part of a statement.
func piece(rest string) (n int, blank bool, err error) {
	switch {
	case strings.HasPrefix(rest, "--"):
		line, _, _ := strings.Cut(rest, "\n")
		return len(line), true, nil
	case strings.HasPrefix(rest, "/*"):
		n, err := upTo(rest[2:], "*/", "a comment")
		return n + 2, true, err
	case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
		n, err := quotedLen(rest)
		return n, false, err
	case rest[0] == '$':
		if tag := heredocTag(rest); tag != "" {
			n, err := upTo(rest[len(tag):], tag, "a here-document")
			return n + len(tag), false, err
		}
	}
	return 1, strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0, nil
}

func upTo(s, end, what string) (int, error) {
	n := strings.Index(s, end)
	if n < 0 {
		return 0, fmt.Errorf("%s is not closed", what)
	}
	return n + len(end), nil
}

// quotedLen measures something quoted, in which a backslash keeps the next
// character and a doubled quote stands for itself.
func quotedLen(s string) (int, error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			if i+1 < len(s) && s[i+1] == s[0] {
				i++
				continue
			}
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("a quote %c is not closed", s[0])
}

// heredocTag returns "$tag$" where s begins with one, else "".
func heredocTag(s string) string {
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '$':
			return s[:i+1]
		case c != '_' && !('0' <= c && c <= '9') && !('a' <= c && c <= 'z') && !('A' <= c && c <= 'Z'):
			return ""
		}
	}
	return ""
}
