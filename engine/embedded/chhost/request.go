package chhost

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/compress"

	"mybeacon/engine/embedded/chdb"
)

// request is what a caller asked, read from the URL and the body.
type request struct {
	who class
	// organisation is whose rows an analyst sees.
	organisation string
	st           statement
	insert       *insertHead
	data         io.Reader // of the INSERT, after insert's head
	settings     map[string]string
	params       map[string]string
	database     string
	format       string // output format of the answer
	compress     bool   // answer in ClickHouse's compressed frames
	whole        bool   // the answer must be complete before its first byte is sent
	hello        bool   // clickhouse-go's first question
	protocol     uint64 // revision that question is decoded with
}

// helloQuery is what clickhouse-go asks first on each HTTP connection. The
// revision in the answer decides how it decodes everything that follows.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

// authenticate returns the caller's class by its token, wherever the client
// puts passwords.
func (s *Server) authenticate(r *http.Request) (class, error) {
	token := r.Header.Get("X-ClickHouse-Key")
	if _, password, ok := r.BasicAuth(); ok {
		token = password
	} else if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	// Hashing first makes the comparison independent of the token's length.
	sum := sha256.Sum256([]byte(token))
	switch {
	case subtle.ConstantTimeCompare(sum[:], s.serverToken[:]) == 1:
		return server, nil
	case subtle.ConstantTimeCompare(sum[:], s.readerToken[:]) == 1:
		return reader, nil
	case s.analysts && subtle.ConstantTimeCompare(sum[:], s.analystToken[:]) == 1:
		return analyst, nil
	}
	return reader, refuse(codeAuth, "Authentication failed: the password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)")
}

// parse reads a request. The body is read as far as the statement's text goes;
// an INSERT's data stays in it.
func (s *Server) parse(r *http.Request, who class) (*request, error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, refuse(codeUnsupported, "Content-Encoding %s is not supported: send the body plain or with decompress=1", enc)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return nil, refuse(codeUnsupported, "external tables are not supported by the embedded warehouse")
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(codeSyntax, "the URL's query cannot be read: %v", err)
	}
	req := &request{who: who, database: q.Get("database"), format: q.Get("default_format"), compress: isOn(q, "compress"), whole: isOn(q, "wait_end_of_query")}
	switch {
	case who == analyst:
		req.database = database
		if req.organisation, err = organisationOf(r); err != nil {
			return nil, err
		}
	case r.Method == http.MethodGet:
		req.who = reader // as everywhere, GET changes nothing
	}
	if req.settings, req.params, err = chosen(q, req.who); err != nil {
		return nil, err
	}
	body, err := s.body(r, q, req.who)
	if err != nil {
		return nil, err
	}
	sql, err := s.text(req, q.Get("query"), body)
	if err != nil {
		return nil, err
	}
	if req.hello = sql == helloQuery; req.hello {
		req.protocol = parseProtocol(q.Get("client_protocol_version"))
	}
	if req.st, err = inspect(sql, req.who); err != nil {
		return nil, err
	}
	if req.who == analyst {
		if err := s.closeTo(req); err != nil {
			return nil, err
		}
	}
	req.format = req.answerFormat()
	return req, nil
}

// closeTo refuses a statement that leads beyond what analysts are given.
func (s *Server) closeTo(req *request) error {
	if req.hello {
		return nil
	}
	c, err := FindClosed(database, s.engine.given, func(sql string) ([]string, error) {
		answer, err := s.engine.control(sql)
		return strings.Split(answer, "\n"), err
	})
	if err != nil {
		return err
	}
	return req.st.forAnalyst(c)
}

func isOn(q url.Values, key string) bool { return q.Get(key) == "1" || q.Get(key) == "true" }

func parseProtocol(s string) uint64 {
	var n uint64
	for _, c := range s {
		if c < '0' || c > '9' || n > 1_000_000 {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// body returns the request's body, decompressed if the caller says so.
func (s *Server) body(r *http.Request, q url.Values, who class) (*bufio.Reader, error) {
	var body io.Reader = r.Body
	if isOn(q, "decompress") {
		if who != server {
			return nil, refuse(codeUnsupported, "decompress is for inserts")
		}
		body = &frames{r: compress.NewReader(body)}
	}
	return bufio.NewReaderSize(body, headPeek), nil
}

// headPeek is how far into a body an INSERT's data must begin.
const headPeek = 64 << 10

// text takes the statement's text from the URL, the body or both, and finds
// where an INSERT's data begins.
func (s *Server) text(req *request, fromURL string, body *bufio.Reader) (string, error) {
	if fromURL != "" {
		if h, ok := parseInsert(fromURL); ok {
			req.insert, req.data = &h, io.MultiReader(strings.NewReader(fromURL[h.data:]), body)
			return h.checked(), nil
		}
		rest, err := s.limited(body)
		if err != nil || len(bytes.TrimSpace(rest)) == 0 {
			return strings.TrimSpace(fromURL), err
		}
		return fromURL + "\n" + string(rest), nil
	}
	head, err := body.Peek(headPeek)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", bodyError(err)
	}
	if h, ok := parseInsert(string(head)); ok {
		if _, err := body.Discard(h.data); err != nil {
			return "", bodyError(err)
		}
		req.insert, req.data = &h, body
		return h.checked(), nil
	}
	rest, err := s.limited(body)
	return strings.TrimSpace(string(rest)), err
}

func (s *Server) limited(body io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, s.limits.QueryBytes+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(b)) > s.limits.QueryBytes {
		return nil, refuse(codeTooLarge, "the statement is longer than %d bytes", s.limits.QueryBytes)
	}
	return b, nil
}

func bodyError(err error) error {
	var own *chdb.Error
	if errors.As(err, &own) {
		return err
	}
	return refuse(codeAborted, "the request's body could not be read: %v", err)
}

// frames reads ClickHouse's compressed frames to their end. The frame reader
// wraps io.EOF, also where a frame is cut short: only a clean end is an end here.
type frames struct{ r *compress.Reader }

func (f *frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "raw"):
		return n, io.EOF
	}
	return n, refuse(codeAborted, "the compressed body could not be read: %v", err)
}

// pieceable are the output formats whose pieces put one after the other are the
// whole: no header, frame or count. Every other format must be made in one go.
var pieceable = []string{
	"Native", "RowBinary", "CSV", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "LineAsString", "RawBLOB",
	"JSONEachRow", "JSONLines", "NDJSON", "JSONStringsEachRow", "JSONCompactEachRow", "JSONCompactStringsEachRow",
}

// answerFormat returns the format the answer will have: the statement's own
// FORMAT clause, the caller's default, or ClickHouse's.
func (req *request) answerFormat() string {
	for i := len(req.st.list) - 2; i > 0; i-- {
		if req.st.is(i, "FORMAT") && req.st.list[i].depth == 0 && req.st.list[i+1].kind == word {
			return req.st.raw(i + 1)
		}
	}
	if req.format != "" {
		return req.format
	}
	return "TabSeparated"
}

// streams reports whether the answer can be sent piece by piece.
func (req *request) streams() bool {
	first := req.st.first()
	return (first == "SELECT" || first == "WITH") && !req.whole && slices.Contains(pieceable, req.format)
}
