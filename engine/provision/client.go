package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"mybeacon/schema"
)

const (
	// maxAnswer bounds what is read of an answer; a plan with all its zones is
	// far below.
	maxAnswer = 8 << 20
	// answerTimeout bounds one request; logging in takes longest, on purpose.
	answerTimeout = 30 * time.Second
)

// Config says where the server is and who we are: a Token, or Email and
// Password.
type Config struct {
	Server          string // "http://127.0.0.1:8080"
	Token           string
	Email, Password string
	HTTP            *http.Client // nil: one with the system's settings
}

// Client is a login to a server's REST API.
type Client struct {
	base         string
	token        string
	http         *http.Client
	organisation schema.OrganisationID // the caller's own; zero for a super-admin
	// switched is held by the walk for which a super-admin acts inside an organisation:
	// a login acts in one at a time.
	switched chan struct{}
}

// Login connects and finds out who the caller is. The error's kind is
// Unauthorized when the server does not accept the login, Unavailable when it
// does not answer.
func Login(ctx context.Context, cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, schema.Errorf(schema.Invalid, "server", "%.100q is not an address such as http://127.0.0.1:8080", cfg.Server)
	}
	c := &Client{base: strings.TrimSuffix(cfg.Server, "/"), token: cfg.Token, http: &http.Client{}, switched: make(chan struct{}, 1)}
	if cfg.HTTP != nil {
		copied := *cfg.HTTP
		c.http = &copied
	}
	if c.http.Transport == nil {
		c.http.Transport = http.DefaultTransport
	}
	c.http.Transport = patient{c.http.Transport}
	if c.token == "" {
		if cfg.Email == "" || cfg.Password == "" {
			return nil, schema.Errorf(schema.Invalid, "", "give a token, or an e-mail and a password")
		}
		if c.http.Jar, err = cookiejar.New(nil); err != nil {
			return nil, fmt.Errorf("keep cookies: %w", err)
		}
		body := map[string]string{"email": cfg.Email, "password": cfg.Password}
		if err := c.call(ctx, http.MethodPost, "/api/v1/auth/login", nil, body, nil); err != nil {
			return nil, fmt.Errorf("log in as %s: %w", cfg.Email, err)
		}
	}
	return c, c.whoAmI(ctx)
}

func (c *Client) whoAmI(ctx context.Context) error {
	var me struct {
		User struct {
			SuperAdmin     bool                  `json:"super_admin"`
			OrganisationID schema.OrganisationID `json:"organisation_id"`
		} `json:"user"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/auth/me", nil, nil, &me); err != nil {
		return fmt.Errorf("ask who I am: %w", err)
	}
	if !me.User.SuperAdmin {
		c.organisation = me.User.OrganisationID
	}
	return nil
}

const actingPath = "/api/v1/auth/acting"

// inside runs do while the caller acts inside the organisation: a super-admin changes
// nothing there without a switch, of which the organisation's audit log tells with the
// reason.
func (c *Client) inside(ctx context.Context, organisation schema.OrganisationID, reason string, do func() error) (err error) {
	if !c.organisation.IsZero() {
		return do()
	}
	select {
	case c.switched <- struct{}{}:
		defer func() { <-c.switched }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	body := map[string]any{"organisation_id": organisation, "reason": reason}
	if err := c.call(ctx, http.MethodPut, actingPath, nil, body, nil); err != nil {
		return fmt.Errorf("switch into the organisation: %w", err)
	}
	defer func() {
		// Also when ctx has ended: nobody shall go on acting there.
		if left := c.call(context.WithoutCancel(ctx), http.MethodDelete, actingPath, nil, nil, nil); err == nil && left != nil {
			err = fmt.Errorf("switch back: %w", left)
		}
	}()
	return do()
}

// call sends a request and decodes the answer into out, if that is not nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		if ctxErr := context.Cause(ctx); errors.Is(ctxErr, context.Canceled) {
			return ctxErr
		}
		return &schema.Error{Kind: schema.Unavailable, Message: "the server does not answer", Err: err}
	}
	defer answer.Body.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return &schema.Error{Kind: schema.Unavailable, Message: "the server's answer was cut", Err: err}
	}
	if len(text) > maxAnswer {
		return schema.Errorf(schema.TooLarge, "", "%s %s: the answer is larger than %d bytes", method, path, maxAnswer)
	}
	if answer.StatusCode >= 300 {
		return problem(method, path, answer.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: decode the answer: %w", method, path, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: encode: %w", method, path, err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request, nil
}

var kinds = map[int]schema.Kind{
	http.StatusBadRequest: schema.Invalid, http.StatusUnprocessableEntity: schema.Invalid,
	http.StatusUnauthorized: schema.Unauthorized, http.StatusForbidden: schema.Forbidden,
	http.StatusNotFound: schema.NotFound, http.StatusConflict: schema.Conflict,
	http.StatusRequestEntityTooLarge: schema.TooLarge, http.StatusTooManyRequests: schema.TooMany,
	http.StatusBadGateway: schema.Unavailable, http.StatusServiceUnavailable: schema.Unavailable, http.StatusGatewayTimeout: schema.Unavailable,
}

// problem turns a problem document (RFC 9457) into an error that says what was
// asked and what the server said.
func problem(method, path string, status int, text []byte) error {
	var p struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(text, &p) // a proxy in between answers with something else
	said := p.Detail
	if said == "" {
		said = p.Title
	}
	for _, e := range p.Errors[:min(len(p.Errors), 5)] {
		said += fmt.Sprintf("; %s %s", e.Location, e.Message)
	}
	if said == "" {
		said = http.StatusText(status)
	}
	return schema.Errorf(kinds[status], "", "%s %s: %d %.1000s", method, path, status, said)
}

// first returns the only row that a list with an exact filter gives, or false.
func first[T any](ctx context.Context, c *Client, path string, filter url.Values) (T, bool, error) {
	var list struct {
		Items []T `json:"items"`
	}
	var none T
	filter.Set("limit", "2")
	if err := c.call(ctx, http.MethodGet, path, filter, nil, &list); err != nil {
		return none, false, err
	}
	switch len(list.Items) {
	case 0:
		return none, false, nil
	case 1:
		return list.Items[0], true, nil
	default:
		return none, false, schema.Errorf(schema.Conflict, "", "GET %s?%s: more than one matches", path, filter.Encode())
	}
}
