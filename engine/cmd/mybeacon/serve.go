package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"mybeacon/bench/demo"
	"mybeacon/engine/node"
)

func lookupEnv(name string) (string, bool) { return os.LookupEnv(name) }

// nodeFlags are the settings that all commands around a server share.
type nodeFlags struct {
	Data             string `help:"Directory of everything the server writes." default:"data" env:"MYBEACON_DATA" placeholder:"DIR"`
	PostgresURL      string `help:"PostgreSQL to use instead of the embedded one." env:"MYBEACON_POSTGRES_URL" placeholder:"URL"`
	PostgresOwnerURL string `help:"The same PostgreSQL as the role that owns the schema, for migrations, where --postgres-url is a role that owns nothing." env:"MYBEACON_POSTGRES_OWNER_URL" placeholder:"URL"`
	ClickHouseURL    string `help:"ClickHouse to use instead of the embedded one." name:"clickhouse-url" env:"MYBEACON_CLICKHOUSE_URL" placeholder:"URL"`
	Runtime          string `help:"Directory of the embedded stores' binaries." env:"MYBEACON_RUNTIME" placeholder:"DIR"`
}

func (f nodeFlags) config(e *env) (node.Config, error) {
	cfg := node.DefaultConfig()
	cfg.Data, cfg.PostgresURL, cfg.ClickHouseURL, cfg.Runtime = f.Data, f.PostgresURL, f.ClickHouseURL, f.Runtime
	cfg.PostgresOwnerURL = f.PostgresOwnerURL
	cfg.Log, cfg.Version = e.log, version()
	exe, err := os.Executable()
	if err != nil {
		return cfg, fmt.Errorf("find this program's own file: %w", err)
	}
	cfg.Executable = exe
	return cfg, nil
}

type serveCmd struct {
	nodeFlags
	HTTP              string   `help:"Address of the console, the API and the sockets." default:"127.0.0.1:8080" env:"MYBEACON_HTTP" placeholder:"ADDR"`
	Ops               string   `help:"Address of /metrics, or off." default:"127.0.0.1:9090" env:"MYBEACON_OPS" placeholder:"ADDR"`
	SpillLimit        byteSize `help:"Disk that batches may take while the warehouse is away, such as 8GiB or 500MiB." default:"8GiB" env:"MYBEACON_SPILL_LIMIT" placeholder:"SIZE"`
	BaseURL           string   `help:"How people reach the console." env:"MYBEACON_BASE_URL" placeholder:"URL"`
	MailFrom          string   `help:"Who mails are from, such as MyBeacon <beacon@example.org>; the mail server itself is MYBEACON_SMTP, as in smtps://user:password@mail.example.org." env:"MYBEACON_MAIL_FROM" placeholder:"ADDRESS"`
	Proxies           []string `help:"Networks of reverse proxies whose X-Forwarded-For is believed; without it all people behind one share its login limit." env:"MYBEACON_PROXIES" placeholder:"NET"`
	AdminEmail        string   `help:"E-mail of the first super-admin." default:"admin@mybeacon.local" env:"MYBEACON_ADMIN_EMAIL" placeholder:"EMAIL"`
	AdminPassword     string   `kong:"-"` // secrets never stand in argv: MYBEACON_ADMIN_PASSWORD only
	QuotaFrames       int      `help:"Frames a second that the devices of one organisation may send; 0 is no bound." default:"50000" env:"MYBEACON_QUOTA_FRAMES" placeholder:"N"`
	QuotaObservations int      `help:"Observations a second that the devices of one organisation may send; 0 is no bound." default:"500000" env:"MYBEACON_QUOTA_OBSERVATIONS" placeholder:"N"`
	RateLimit         bool     `help:"Bound how often one account, organisation and address may ask the API." default:"true" negatable:"" env:"MYBEACON_RATE_LIMIT"`
	PrivateWebhooks   bool     `help:"Let webhooks of organisations lead into private networks and to this machine." env:"MYBEACON_PRIVATE_WEBHOOKS"`
	Demo              bool     `help:"Simulate a site with people and things and stream it through the scanners' door." env:"MYBEACON_DEMO"`
	DemoTags          int      `help:"How many tags the demo has, 20 to 2000." default:"60" env:"MYBEACON_DEMO_TAGS" placeholder:"N"`
	DemoLanguage      string   `help:"Language of the demo's names: ${enum}." enum:"en,ru" default:"en" env:"MYBEACON_DEMO_LANGUAGE"`
	CheckConfig       bool     `help:"Check the settings and stop."`
}

// Run implements the command: it returns when the context ends or a part of
// the server fails for good.
func (c *serveCmd) Run(e *env) error {
	cfg, err := c.nodeFlags.config(e)
	if err != nil {
		return err
	}
	cfg.HTTP, cfg.Ops, cfg.BaseURL, cfg.Proxies = c.HTTP, c.Ops, c.BaseURL, c.Proxies
	cfg.SMTP, cfg.MailFrom = os.Getenv("MYBEACON_SMTP"), c.MailFrom
	cfg.SpillLimit = int64(c.SpillLimit)
	cfg.AdminEmail, cfg.AdminPassword = c.AdminEmail, os.Getenv("MYBEACON_ADMIN_PASSWORD")
	cfg.Quota.FramesPerSecond, cfg.Quota.ObservationsPerSecond = c.QuotaFrames, c.QuotaObservations
	cfg.RateLimit, cfg.PrivateWebhooks = c.RateLimit, c.PrivateWebhooks
	if err := c.check(cfg); err != nil {
		return err
	}
	if c.CheckConfig {
		fmt.Fprintln(e.stdout, "the configuration is fine")
		return nil
	}
	cfg.Demo = c.demo(e)
	n := node.New(cfg)
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-n.Ready():
	}
	c.greet(ctx, e, n)
	if c.Demo {
		if err := n.StartDemo(ctx); err != nil {
			e.log.Error("the demo site could not be started", "error", err)
		}
	}
	return <-ended
}

func (c *serveCmd) check(cfg node.Config) error {
	if c.DemoTags < demo.MinTags || c.DemoTags > demo.MaxTags {
		return fmt.Errorf("demo-tags: %d is out of range, %d to %d are possible", c.DemoTags, demo.MinTags, demo.MaxTags)
	}
	return cfg.Validate()
}

// greet prints the address, the first login as far as the server knows it, and what to
// do first.
func (c *serveCmd) greet(ctx context.Context, e *env, n *node.Node) {
	fmt.Fprintf(e.stdout, "MyBeacon is ready at %s\n", n.URL())
	switch login := n.FirstLogin(); {
	case login.Password != "":
		fmt.Fprintf(e.stdout, "First login: %s  password: %s  (kept in %s: remove the file when you have noted it)\n", login.Email, login.Password, login.File)
	case login.Email != "":
		fmt.Fprintf(e.stdout, "First login: %s  with the password of MYBEACON_ADMIN_PASSWORD\n", login.Email)
	}
	if n.NeedsSetup(ctx) {
		fmt.Fprintf(e.stdout, "Open it in a browser and log in: an assistant shows the first steps.\n")
	}
}

// demo returns the simulated site, for --demo and for who asks for it in the console.
func (c *serveCmd) demo(e *env) node.Demo {
	return node.Demo{
		Run: func(ctx context.Context, server, token string) error {
			return demo.Run(ctx, demo.Config{Server: server, Token: token, Tags: c.DemoTags, Language: c.DemoLanguage, Log: warnings(e.log).With("part", "demo")})
		},
		Organisations: demo.Organisations(),
	}
}

// warnings returns a logger that leaves out what is merely normal: the greeting
// with its address and login should stay the last thing on the screen.
func warnings(log *slog.Logger) *slog.Logger { return slog.New(warningHandler{log.Handler()}) }

type warningHandler struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (h warningHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (h warningHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warningHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h warningHandler) WithGroup(name string) slog.Handler {
	return warningHandler{h.Handler.WithGroup(name)}
}

type migrateCmd struct{ nodeFlags }

// Run implements the command.
func (c *migrateCmd) Run(e *env) error {
	cfg, err := c.nodeFlags.config(e)
	if err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	if err := node.Migrate(e.ctx, cfg); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "both schemas are up to date")
	return nil
}
