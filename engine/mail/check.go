package mail

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mybeacon/schema"
)

// maxValue bounds one value of a message's data, in characters.
const maxValue = 500

// maxLines bounds the lines of a message.
const maxLines = 100

// dataKeys are what templates may show.
func dataKeys() []string {
	return []string{"organisation", "name", "products", "password", "email", "phone", "by", "first", "more", "webhook", "why"}
}

// Validate refuses what cannot become a mail, and everything that could become a header
// of its own: no value holds a line break or another control character.
func (m Message) Validate() error {
	if a, err := mail.ParseAddress(m.To); err != nil || a.Address != m.To || len(m.To) > 254 || hasControl(m.To) {
		return schema.Errorf(schema.Invalid, "to", "%.100q is not an e-mail address", m.To)
	}
	if !slices.Contains(Templates(), m.Template) {
		return schema.Errorf(schema.Invalid, "template", "there is no mail template %.40q: name one of %s", m.Template, strings.Join(Templates(), ", "))
	}
	if m.Language != "" && !slices.Contains(Languages(), m.Language) {
		return schema.Errorf(schema.Invalid, "language", "mails are written in %s, not in %.20q", strings.Join(Languages(), ", "), m.Language)
	}
	for key, value := range m.Data {
		if !slices.Contains(dataKeys(), key) {
			return schema.Errorf(schema.Invalid, "data", "mails show nothing called %.40q: name some of %s", key, strings.Join(dataKeys(), ", "))
		}
		if hasControl(value) || utf8.RuneCountInString(value) > maxValue {
			return schema.Errorf(schema.Invalid, key, "must have at most %d characters without control characters", maxValue)
		}
	}
	if len(m.Lines) > maxLines {
		return schema.Errorf(schema.Invalid, "lines", "there are %d, at most %d", len(m.Lines), maxLines)
	}
	for _, line := range m.Lines {
		if hasControl(line) || utf8.RuneCountInString(line) > maxValue {
			return schema.Errorf(schema.Invalid, "lines", "must have at most %d characters each, without control characters", maxValue)
		}
	}
	return validateLink(m.Link)
}

// validateLink admits a path of this server only: a host in it would lead elsewhere.
func validateLink(link string) error {
	if link == "" {
		return nil
	}
	if !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "//") || strings.ContainsAny(link, "\\ ") || hasControl(link) || len(link) > 1000 {
		return schema.Errorf(schema.Invalid, "link", "must be a path such as /confirm#TOKEN")
	}
	return nil
}

func hasControl(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		// U+2028 and U+2029 break lines as well.
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}
