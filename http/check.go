package http

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mybeacon/schema"
)

// CheckText trims a text and refuses what does not print, such as control characters
// and those that turn the direction of writing, and what is too short or too long, in
// characters.
func CheckText(field, text string, least, most int) (string, error) {
	text = strings.TrimSpace(text)
	odd := !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) })
	if n := utf8.RuneCountInString(text); odd || n < least || n > most {
		return text, schema.Errorf(schema.Invalid, field, "must have %d to %d printable characters", least, most)
	}
	return text, nil
}

// CheckTimeZone returns the IANA name; empty is UTC.
func CheckTimeZone(name string) (string, error) {
	if name == "" {
		return "UTC", nil
	}
	// "Local" would mean the server's zone.
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return name, schema.Errorf(schema.Invalid, "time_zone", "%.60q is not a time zone such as Europe/Moscow", name)
	}
	return name, nil
}

// ParseID returns the id of a path; one that cannot be read names no object.
func ParseID[I ~[16]byte](text string) (I, error) {
	id, err := schema.ParseID[I](text)
	if err != nil {
		return id, schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	return id, nil
}
