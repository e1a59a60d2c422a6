package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mybeacon/schema"
)

// Query asks the warehouse and writes its answer to w as it comes, in the
// format (TabSeparated when empty, unless the statement names one). The error
// is ClickHouse's message, also where it fails half-way: then w has the part
// that came before.
func (db *DB) Query(ctx context.Context, sql, format string, w io.Writer) error {
	return query(ctx, db.url, sql, format, w)
}

// Query asks the warehouse at the address; see [DB.Query].
func Query(ctx context.Context, rawURL, sql, format string, w io.Writer) error {
	u, err := parseURL(rawURL)
	if err != nil {
		return err
	}
	return query(ctx, u, sql, format, w)
}

func query(ctx context.Context, u *url.URL, sql, format string, w io.Writer) error {
	req, err := newRequest(ctx, u, sql, format)
	if err != nil {
		return err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	// The password is not for whoever a redirect names.
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse at " + u.Host + " does not answer", Err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		return failure(resp.Status, body)
	}
	return copyAnswer(w, resp.Body, resp.Header.Get("X-ClickHouse-Exception-Tag"))
}

func newRequest(ctx context.Context, u *url.URL, sql, format string) (*http.Request, error) {
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, schema.Errorf(schema.Invalid, "clickhouse-url", "is of the native protocol, which has no output formats: give the HTTP interface's address (http://…:8123/…) for this command")
	}
	if format == "" {
		format = "TabSeparated"
	}
	q := u.Query()
	q.Del("secure")
	q.Set("default_format", format)
	q.Set("database", strings.Trim(u.Path, "/"))
	target := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/", RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(sql))
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	return req, nil
}

func failure(status string, body []byte) error {
	msg := strings.TrimSpace(string(body))
	if msg == "" {
		msg = status
	}
	return errors.New(msg)
}

// exceptionMost is the most an error inside an answer takes: ClickHouse's bound
// of 16 KiB and the frame around it.
const exceptionMost = 17 << 10

// copyAnswer copies the body to w, but for an error at its end, which it
// returns. It holds back as many bytes as such an error can take.
func copyAnswer(w io.Writer, body io.Reader, tag string) error {
	held := make([]byte, 0, 4*exceptionMost)
	buf := make([]byte, exceptionMost)
	for {
		n, err := body.Read(buf)
		held = append(held, buf[:n]...)
		if spare := len(held) - exceptionMost; spare > 0 && (err != nil || len(held) > 2*exceptionMost) {
			if _, werr := w.Write(held[:spare]); werr != nil {
				return fmt.Errorf("write the answer: %w", werr)
			}
			held = append(held[:0], held[spare:]...)
		}
		if err == nil {
			continue
		}
		data, exception := cutException(held, tag)
		if _, werr := w.Write(data); werr != nil {
			return fmt.Errorf("write the answer: %w", werr)
		}
		switch {
		case exception != "":
			return errors.New(exception)
		case errors.Is(err, io.EOF):
			return nil
		}
		return fmt.Errorf("the warehouse's answer was cut short: %w", err)
	}
}

// cutException separates the end of an answer from an error in it. tag is the
// answer's own random mark, so that data which looks like an error is not taken for one.
func cutException(b []byte, tag string) (data []byte, exception string) {
	if tag == "" {
		return b, ""
	}
	const mark = "__exception__\r\n"
	i := bytes.Index(b, []byte(mark+tag+"\r\n"))
	if i < 0 {
		return b, ""
	}
	text := string(b[i+len(mark)+len(tag)+2:])
	if end := strings.LastIndex(text, " "+tag); end >= 0 { // "<length> <tag>" on the last line
		text = text[:max(strings.LastIndex(text[:end], "\n"), 0)]
	}
	return bytes.TrimSuffix(b[:i], []byte("\r\n")), strings.TrimSpace(text)
}
