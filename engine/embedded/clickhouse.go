package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"mybeacon/engine/embedded/chhost"
	chschema "mybeacon/schema/clickhouse"
)

// ClickHouse is a running embedded warehouse.
type ClickHouse struct {
	cfg      Config
	secrets  secrets
	dir      string
	listener *os.File // owned for our whole life, inherited by each host
	addr     string
	child    *child
}

// startClickHouse runs the warehouse on the locked directory.
func startClickHouse(ctx context.Context, cfg Config, sec secrets) (*ClickHouse, error) {
	c := &ClickHouse{cfg: cfg, secrets: sec, dir: filepath.Join(cfg.DataDir, "clickhouse")}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	if err := c.listen(); err != nil {
		return nil, err
	}
	var err error
	if c.child, err = startChild(ctx, c.spec()); err != nil {
		c.listener.Close()
		return nil, err
	}
	if err := WriteEndpoint(cfg.DataDir, Endpoint{URL: c.url(sec.ClickHouseReader), PID: os.Getpid()}); err != nil {
		return nil, errors.Join(err, c.stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// listen opens the port the host will serve. This process keeps the socket, so
// a host that is started again has the same port, callers wait in between
// instead of failing, and no other process can take the port and their tokens.
func (c *ClickHouse) listen() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the warehouse: %w", err)
	}
	defer ln.Close() // the duplicate below stays
	c.addr = ln.Addr().String()
	if c.listener, err = ln.(*net.TCPListener).File(); err != nil {
		return fmt.Errorf("open a port for the warehouse: %w", err)
	}
	return nil
}

// URL returns how clickhouse-go reaches the application's database, with all rights.
func (c *ClickHouse) URL() string { return c.url(c.secrets.ClickHouseServer) }

// ReaderURL returns the same for callers that may only read.
func (c *ClickHouse) ReaderURL() string { return c.url(c.secrets.ClickHouseReader) }

// AnalystURL returns the same for analysts: each request names its organisation in
// the header [chhost.OrganisationHeader].
func (c *ClickHouse) AnalystURL() string { return c.url(c.secrets.ClickHouseAnalyst) }

func (c *ClickHouse) url(token string) string {
	u := url.URL{Scheme: "http", User: url.UserPassword("default", token), Host: c.addr, Path: "/" + databaseName}
	return u.String()
}

// PID returns the process of the latest start.
func (c *ClickHouse) PID() int { return int(c.child.pid.Load()) }

func (c *ClickHouse) stop(ctx context.Context) error {
	err := c.child.close(ctx)
	os.Remove(filepath.Join(c.cfg.DataDir, clickHouseFile))
	return errors.Join(err, c.listener.Close())
}

func (c *ClickHouse) spec() childSpec {
	return childSpec{
		name: "clickhouse", log: c.cfg.Log, stop: syscall.SIGTERM, grace: 15 * time.Second, patience: 120 * time.Second,
		command: c.command, before: c.clear, ready: c.ready,
		line: func(line string) { c.cfg.Log.Debug("clickhouse: " + line) },
	}
}

func (c *ClickHouse) command() *exec.Cmd {
	input, err := json.Marshal(chhost.Config{
		Library: c.cfg.Runtime.LibChDB, ServerToken: c.secrets.ClickHouseServer, ReaderToken: c.secrets.ClickHouseReader,
		AnalystToken: c.secrets.ClickHouseAnalyst, Analysts: chhost.Given{Filtered: chschema.Filtered(), Views: chschema.Views()},
		Limits: c.cfg.ClickHouseLimits,
	})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	cmd := exec.Command(c.cfg.Executable, chhost.Command, "--data", c.dir, "--addr", c.addr)
	cmd.Dir = c.dir
	cmd.Stdin = bytes.NewReader(input)
	cmd.ExtraFiles = []*os.File{c.listener} // descriptor 3
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TZ=UTC", "LC_ALL=C", "HOME=" + c.dir, chhost.ListenerEnv + "=3"}
	cmd.SysProcAttr = childAttr(syscall.SIGTERM, nil)
	return cmd
}

// clear ends a host that an earlier server left running on the directory.
func (c *ClickHouse) clear(ctx context.Context) error {
	ended, err := endOrphans(ctx, c.dir, syscall.SIGTERM, func(args []string) bool { return slices.Contains(args, chhost.Command) })
	if ended > 0 {
		c.cfg.Log.Warn("ended what an earlier server left running", "store", "clickhouse", "processes", ended)
	}
	return err
}

// ready waits until the host answers. The port accepts connections before that.
func (c *ClickHouse) ready(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.addr+"/ping", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64))
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("ping: %s", resp.Status)
		}
		return err
	})
}
