package chhost

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mybeacon/engine/embedded/chdb"
	"mybeacon/schema"
)

// Analysts are people of one organisation: they read its rows of the tables they
// are given and nothing else. The engine has one user only, whose grants all
// sessions share; so three things stand between an analyst and the rest:
//
//   - row filters, which look at the session's log_comment: it holds a secret of
//     this process and the organisation;
//   - readonly, under which settings cannot be changed - but the engine does not
//     hold a subquery's SETTINGS to it, which is why the secret is there;
//   - the words that are refused here: SETTINGS and what reads them, other tables,
//     and table functions, some of which read past the filters (mergeTreeIndex
//     shows the keys of all).

// OrganisationHeader names the organisation of an analyst's request. The server
// sets it; a caller's never reaches the host.
const OrganisationHeader = "X-MyBeacon-Organisation"

// database is the one that analysts read.
const database = "mybeacon"

var analystFirst = []string{"SELECT", "WITH", "FROM", "(", "SHOW", "DESCRIBE", "DESC"}

// analystWords are names that lead to other tables than those given, to the host,
// or past the settings of the session.
var analystWords = []string{
	"system", "information_schema", "settings", "identifier", "log_comment", "explain",
	"joinget", "joingetornull", "hascolumnintable", "getsetting", "getsettingordefault", "getserversetting", "getmergetreesetting",
	"hostname", "fqdn", "serveruuid", "getserverport", "tcpport", "getmacro", "getoskernelversion", "uptime", "showcertificate",
	"getclienthttpheader", "buildid", "connectionid", "connection_id", "catboostevaluate", "initializeaggregation",
	"addresstoline", "addresstolinewithinlines", "addresstosymbol", "evalmlmethod", "currentprofiles", "enabledprofiles", "defaultprofiles",
	"aigenerate", "aiclassify", "aiextract", "aitranslate", "aiembed",
}

// analystPrefixes are families of such names.
var analystPrefixes = []string{"dict", "filesystem", "zookeeper"}

// analystSources are table functions that read no table: all others are refused,
// also those of a later engine.
var analystSources = []string{"numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateseries", "values", "view", "format", "null", "primes"}

var organisationText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// organisationOf returns whose rows an analyst's request is about.
func organisationOf(r *http.Request) (string, error) {
	text := r.Header.Get(OrganisationHeader)
	if !organisationText.MatchString(text) || text == (schema.OrganisationID{}).String() || strings.Trim(text, "0-") == "" {
		return "", refuse(codeAuth, "the request names no organisation")
	}
	return text, nil
}

// rowFilter shows all rows to the statements of the server and of readers, and to an
// analyst's those of his organisation; to a session that is neither, none.
func (e *engine) rowFilter() string {
	comment := "getSetting('log_comment')"
	return "startsWith(" + comment + ", " + quote(e.tagPrefix) + ") OR startsWith(" + comment + ", " + quote(e.analystPrefix) +
		") AND org = toUUIDOrNull(substring(" + comment + ", " + strconv.Itoa(len(e.analystPrefix)+1) + ", 36))"
}

// Closed is what a warehouse has beyond what analysts are given.
type Closed struct {
	Databases []string // in lower case
	Tables    []string // of the analysts' database, as written
	Functions []string // table functions, in lower case
}

// FindClosed asks a warehouse by column, which returns the only column of a
// statement's answer. It is asked anew for every statement of an analyst, so that
// what a later migration adds is closed until it is given.
func FindClosed(database string, given Given, column func(sql string) ([]string, error)) (Closed, error) {
	var c Closed
	for _, ask := range []struct {
		sql  string
		into *[]string
		keep []string
	}{
		{"SELECT lower(name) FROM system.databases", &c.Databases, []string{strings.ToLower(database)}},
		{"SELECT name FROM system.tables WHERE database = " + quote(database), &c.Tables, slices.Concat(given.Filtered, given.Views)},
		{"SELECT lower(name) FROM system.table_functions", &c.Functions, analystSources},
	} {
		names, err := column(ask.sql)
		if err != nil {
			return c, err
		}
		*ask.into = slices.DeleteFunc(names, func(name string) bool { return name == "" || slices.Contains(ask.keep, name) })
	}
	return c, nil
}

// Check refuses a statement that leads an analyst beyond what he is given.
func Check(sql string, c Closed) error {
	st, err := inspect(sql, analyst)
	if err != nil {
		return err
	}
	return st.forAnalyst(c)
}

// forAnalyst refuses what analysts may not name.
func (s statement) forAnalyst(c Closed) error {
	if s.first() == "SHOW" && !(s.is(1, "TABLES") && len(s.list) == 2) {
		return refuse(codeDenied, "of SHOW only SHOW TABLES is accepted here")
	}
	for i := range s.list {
		name, isName := s.name(i)
		if !isName {
			continue
		}
		for part := range strings.SplitSeq(name, ".") {
			if denied(part) || slices.Contains(c.Tables, part) {
				return refuse(codeDenied, "the name %.60q is not accepted here", part)
			}
		}
		if s.raw(i+1) == "(" && slices.Contains(c.Functions, strings.ToLower(name)) {
			return refuse(codeDenied, "the table function %.60q is not accepted here", name)
		}
		if s.raw(i+1) == "." && slices.Contains(c.Databases, strings.ToLower(name)) && s.raw(i-1) != "." {
			return refuse(codeDenied, "the database %.60q is not accepted here", name)
		}
	}
	return nil
}

// name returns the bare or quoted name that token i is.
func (s statement) name(i int) (string, bool) {
	raw := s.raw(i)
	switch s.list[i].kind {
	case word:
		return raw, true
	case quoted:
		return raw[1 : len(raw)-1], true
	}
	return "", false
}

func denied(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(analystWords, name) ||
		slices.ContainsFunc(analystPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// spoken are the codes whose messages are about the statement and the limits. All
// other messages may quote values, and the engine may have come by a value in a row
// that it was about to filter out.
var spoken = []int{
	codeSyntax, codeSetting, codeTimeout, codeReadonly, codeTooMany, codeTooLarge, codeUnsupported, codeAuth, codeAborted, codeDenied,
	16, 42, 43, 46, 47, 60, 63, 81, 158, 179, 184, 207, 215, 241, 352, 386, 456, 457,
}

var errorName = regexp.MustCompile(`\(([A-Z][A-Z0-9_]+)\)`)

// discreet returns the error as an analyst may read it.
func discreet(err error) error {
	var e *chdb.Error
	if !errors.As(err, &e) || slices.Contains(spoken, e.Code) {
		return err
	}
	name := "ERROR"
	if found := errorName.FindAllStringSubmatch(e.Message, -1); len(found) > 0 {
		name = found[len(found)-1][1]
	}
	return &chdb.Error{Code: e.Code, Message: fmt.Sprintf("Code: %d. DB::Exception: the statement fails on a value that it reads or computes. (%s)", e.Code, name)}
}
