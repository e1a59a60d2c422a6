package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/coder/websocket"

	"mybeacon/engine/live"
	"mybeacon/engine/node"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// server is a whole node in this process, in a directory of its own.
type server struct {
	*node.Node
	ops    string
	dir    string
	cancel context.CancelFunc
	ended  chan error
}

// startServer returns when the node answers.
func startServer(ctx context.Context, cfg Config) (*server, error) {
	dir, err := os.MkdirTemp("", "mybeacon-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the server: %w", err)
	}
	ops, err := FreeAddress()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	nc := node.DefaultConfig()
	nc.HTTP, nc.Ops, nc.Data, nc.Runtime, nc.Executable = "127.0.0.1:0", ops, dir, cfg.Runtime, cfg.Executable
	nc.Log, nc.Version = warnings(cfg.Log), "bench"
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &server{Node: node.New(nc), ops: ops, dir: dir, cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- s.Run(life) }()
	select {
	case err := <-s.ended:
		cancel()
		return nil, errors.Join(fmt.Errorf("start a server: %w", err), os.RemoveAll(dir))
	case <-s.Ready():
		return s, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.stop())
	}
}

// warnings leaves out what is merely normal.
func warnings(log *slog.Logger) *slog.Logger {
	return slog.New(leveled{log.Handler()})
}

type leveled struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (h leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h leveled) WithGroup(name string) slog.Handler { return leveled{h.Handler.WithGroup(name)} }

// stop ends the node and removes its directory.
func (s *server) stop() error {
	s.cancel()
	return errors.Join(<-s.ended, os.RemoveAll(s.dir))
}

// FreeAddress returns a loopback address at which nothing listens now.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// provision makes the site, with the server's own rights, and returns it with the
// token of these rights.
func (s *server) provision(ctx context.Context, site provision.Site) (provision.Result, string, error) {
	token, err := s.InternalToken(ctx)
	if err != nil {
		return provision.Result{}, "", err
	}
	c, err := provision.Login(ctx, provision.Config{Server: s.URL(), Token: token})
	if err != nil {
		return provision.Result{}, "", err
	}
	there, err := c.Ensure(ctx, site)
	return there, token, err
}

// watch opens the live map of the location, at the highest rate.
func (s *server) watch(ctx context.Context, location schema.LocationID, token string) (*websocket.Conn, error) {
	return Watch(ctx, s.URL(), location, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
}

// Watch opens the live map of a location on a server, at the highest rate; the options
// say who watches.
func Watch(ctx context.Context, server string, location schema.LocationID, options *websocket.DialOptions) (*websocket.Conn, error) {
	options.Subprotocols = []string{"mybeacon.v1+json"}
	conn, _, err := websocket.Dial(ctx, strings.Replace(server, "http", "ws", 1)+"/api/v1/live", options) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("open the live map: %w", err)
	}
	conn.SetReadLimit(1 << 20)
	text := fmt.Sprintf(`{"sub":{"location":%q,"rate_ms":%d}}`, location, live.MinRate.Milliseconds())
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return nil, errors.Join(fmt.Errorf("watch the location: %w", err), conn.CloseNow())
	}
	return conn, nil
}

// dropped returns how many live messages the actors' mailboxes dropped.
func (s *server) dropped(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.ops+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("read the server's metrics: %w", err)
	}
	defer answer.Body.Close() // it was only read
	sum, found := 0.0, false
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(name, "mybeacon_actor_dropped_total") {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read the server's metrics: %w", err)
		}
		sum, found = sum+n, true
	}
	if err := lines.Err(); err != nil || !found {
		return 0, errors.Join(errors.New("the server's metrics tell nothing of dropped messages"), err)
	}
	return int(math.Round(sum)), nil
}
