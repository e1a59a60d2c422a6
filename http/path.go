package http

import (
	"net/http"
	"strings"
)

// ambiguous reports whether a router, a check and a proxy might read the path
// differently. Such a path is refused, not cleaned: everything behind sees the one
// path that there is.
func ambiguous(r *http.Request) bool {
	raw := strings.ToLower(r.URL.EscapedPath())
	for _, bad := range []string{"//", "%2f", "%5c", `\`, "%2e", "%00", "%25", ";"} {
		if strings.Contains(raw, bad) {
			return true
		}
	}
	if !strings.HasPrefix(raw, "/") {
		return true // also "*" of OPTIONS
	}
	for segment := range strings.SplitSeq(raw[1:], "/") {
		// "." and "..", and a dot at the end, which some file systems and names of hosts drop.
		if strings.HasSuffix(segment, ".") {
			return true
		}
	}
	return strings.ContainsFunc(r.URL.Path, func(c rune) bool { return c < ' ' || c == 0x7f })
}
