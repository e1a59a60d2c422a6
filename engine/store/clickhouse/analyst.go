package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"mybeacon/engine/embedded/chhost"
	"mybeacon/schema"
)

// Analysts carries the statements of people to the warehouse, each as the reader of
// one organisation. It is safe for concurrent use.
type Analysts struct {
	url    *url.URL
	client *http.Client
	server *DB // nil: the embedded warehouse, which knows analysts itself
	given  chhost.Given

	mu      sync.Mutex
	entered map[schema.OrganisationID]bool // whose reader has been made; nobody beyond the organisations there are
}

// EmbeddedAnalysts reaches the embedded warehouse at its address for analysts.
func EmbeddedAnalysts(rawURL string) (*Analysts, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return &Analysts{url: u, client: analystClient()}, nil
}

// Analysts reaches a warehouse that is a server of its own. What analysts are given
// are tables with a column org, filtered, and views over them.
//
// The first statement makes a role, a row policy per table and a reader per
// organisation; db's account must be allowed to (GRANT ACCESS MANAGEMENT). The
// policies look at the reader's name: a setting would do less, since ClickHouse
// lets the SETTINGS of a subquery past readonly and constraints.
func (db *DB) Analysts(filtered, views []string) *Analysts {
	given := chhost.Given{Filtered: filtered, Views: views}
	return &Analysts{url: db.url, client: analystClient(), server: db, given: given, entered: map[schema.OrganisationID]bool{}}
}

// analystClient follows no redirect: the password is not for whoever it names.
func analystClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends idle connections.
func (a *Analysts) Close() { a.client.CloseIdleConnections() }

// Ask sends the statement, with the parameters of ClickHouse's HTTP interface in q,
// as the organisation's reader, and returns the warehouse's answer whatever its
// status; its body is the caller's to close. The context ends the statement too.
func (a *Analysts) Ask(ctx context.Context, organisation schema.OrganisationID, q url.Values, sql string) (*http.Response, error) {
	if a.url.Scheme != "http" && a.url.Scheme != "https" {
		return nil, schema.Errorf(schema.Unavailable, "", "the warehouse is configured by its native address, which has no output formats: give --clickhouse-url its HTTP address")
	}
	target := url.URL{Scheme: a.url.Scheme, Host: a.url.Host, Path: "/"}
	if a.server != nil {
		if err := a.admit(ctx, organisation, sql); err != nil {
			return nil, err
		}
		q.Del("limit") // a reader's settings are fixed; its answers stop when nobody reads on
		q.Set("database", a.server.name)
		q.Set("cancel_http_readonly_queries_on_client_close", "1")
	}
	target.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(sql))
	if err != nil {
		return nil, err
	}
	a.sign(req, organisation)
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not answer", Err: redact(err, a.url)}
	}
	return resp, nil
}

func (a *Analysts) sign(req *http.Request, organisation schema.OrganisationID) {
	if a.server != nil {
		req.SetBasicAuth(readerName(organisation), a.password(organisation))
		return
	}
	password, _ := a.url.User.Password()
	req.SetBasicAuth(a.url.User.Username(), password)
	req.Header.Set(chhost.OrganisationHeader, organisation.String())
}

// admit checks the statement by the words of the embedded warehouse, and makes the
// organisation's reader where it has none yet.
func (a *Analysts) admit(ctx context.Context, organisation schema.OrganisationID, sql string) error {
	closed, err := chhost.FindClosed(a.server.name, a.given, func(sql string) ([]string, error) {
		var names []string
		err := a.server.conn.Select(ctx, &names, sql)
		return names, err
	})
	if err != nil {
		return fmt.Errorf("ask what analysts may not read: %w", redact(err, a.url))
	}
	if err := chhost.Check(sql, closed); err != nil {
		return &schema.Error{Kind: schema.Forbidden, Message: err.Error()}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entered[organisation] {
		return nil
	}
	for _, statement := range append(readerSetup(a.server.name, a.given), readerUser(organisation, a.password(organisation))...) {
		if err := a.server.conn.Exec(ctx, statement); err != nil {
			return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not let MyBeacon make readers: give its account ACCESS MANAGEMENT", Err: redact(err, a.url)}
		}
	}
	a.entered[organisation] = true
	return nil
}

// password of a reader is the same for every server that has the account of the
// warehouse, and tells nothing of the account's own.
func (a *Analysts) password(organisation schema.OrganisationID) string {
	own, _ := a.url.User.Password()
	sum := sha256.Sum256([]byte("mybeacon reader\x00" + own + "\x00" + organisation.String()))
	return hex.EncodeToString(sum[:])
}

const (
	readerRole   = "mybeacon_reader"
	readerPrefix = "mybeacon_reader_"
)

func readerName(organisation schema.OrganisationID) string {
	return readerPrefix + organisation.String()
}

// readerSetup is what all readers need: a role that may read what is given, and
// policies that show it only the rows of the organisation in the reader's name. All
// others go on seeing everything.
func readerSetup(database string, given chhost.Given) []string {
	list := []string{"CREATE ROLE IF NOT EXISTS " + readerRole}
	for _, view := range given.Views {
		list = append(list, fmt.Sprintf("GRANT SELECT ON `%s`.`%s` TO %s", database, view, readerRole))
	}
	for _, table := range given.Filtered {
		on := fmt.Sprintf("`%s`.`%s`", database, table)
		list = append(list,
			// The policies before the grant: no moment in which all rows can be read.
			fmt.Sprintf("CREATE ROW POLICY OR REPLACE mybeacon_organisation ON %s USING org = toUUIDOrNull(substring(currentUser(), %d)) TO %s", on, len(readerPrefix)+1, readerRole),
			fmt.Sprintf("CREATE ROW POLICY OR REPLACE mybeacon_rest ON %s USING 1 TO ALL EXCEPT %s", on, readerRole),
			fmt.Sprintf("GRANT SELECT ON %s TO %s", on, readerRole),
		)
	}
	return list
}

// readerUser makes the organisation's reader anew, with the limits of the embedded
// warehouse's analysts.
func readerUser(organisation schema.OrganisationID, password string) []string {
	sum := sha256.Sum256([]byte(password))
	name := "`" + readerName(organisation) + "`"
	return []string{
		fmt.Sprintf("CREATE USER OR REPLACE %s IDENTIFIED WITH sha256_hash BY '%s' DEFAULT ROLE NONE SETTINGS readonly = 1 CONST, "+
			"max_execution_time = 30 CONST, max_memory_usage = 536870912 CONST, max_threads = 2 CONST", name, hex.EncodeToString(sum[:])),
		fmt.Sprintf("GRANT %s TO %s", readerRole, name),
		fmt.Sprintf("ALTER USER %s DEFAULT ROLE %s", name, readerRole),
	}
}

// ReadFailure returns the start of an answer that is no result, for an error.
func ReadFailure(body io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(body, 16<<10)) // a cut message is better than none
	return strings.TrimSpace(string(b))
}
