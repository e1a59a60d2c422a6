package demo

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mybeacon/bench/sim"
	"mybeacon/edge/client"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// The bounds of Config.Tags: fewer make a dull map, more a crowded one.
const (
	MinTags = 20
	MaxTags = 2000
)

// Config of a demonstration. Server and a login are needed, the rest has
// defaults.
type Config struct {
	Server string
	// Token, or Email and Password, is the login that sets up the site.
	Token           string
	Email, Password string
	Tags            int    // MinTags to MaxTags; 60 by default
	Seed            uint64 // of the simulated site; 1 by default
	Language        string // of all names, "ru" or "en" (the default)
	Log             *slog.Logger
	HTTP            *http.Client // nil: one with the system's settings
}

func (c *Config) setDefaults() {
	if c.Tags == 0 {
		c.Tags = 60
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Language == "" {
		c.Language = "en"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

const (
	// retryEvery and retryAtMost bound the wait before the site is set up again.
	retryEvery  = time.Second
	retryAtMost = 30 * time.Second
	// tooLate is how far behind real time the simulation may fall, for instance
	// because the machine slept, before the missed time is skipped.
	tooLate = 10 * time.Second
	// refusal is how long devices may be refused before the site is set up anew.
	refusal = 15 * time.Second
)

// Run keeps the site alive until the context ends, and returns nil then. Other
// errors are final: a login that is refused, or a site that cannot be.
func Run(ctx context.Context, cfg Config) error {
	cfg.setDefaults()
	if cfg.Tags < MinTags || cfg.Tags > MaxTags {
		return schema.Errorf(schema.Invalid, "tags", "%d must be %d to %d", cfg.Tags, MinTags, MaxTags)
	}
	world, err := newWorld(cfg)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		there, err := setUp(ctx, cfg, Describe(world, cfg.Language))
		if err == nil {
			err = live(ctx, cfg, world, there)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// newWorld gives the receivers a new boot id: their numbers begin at 1 again,
// and these frames are others than those of the last run.
func newWorld(cfg Config) (*sim.World, error) {
	boot := schema.NewID[schema.DeviceID]()
	sc := sim.DefaultConfig()
	sc.Seed, sc.Tags, sc.Language = cfg.Seed, cfg.Tags, cfg.Language
	sc.BootID = "demo-" + hex.EncodeToString(boot[:])
	return sim.New(sc)
}

// setUp makes the site, waiting for a server that is not there yet.
func setUp(ctx context.Context, cfg Config, site provision.Site) (provision.Result, error) {
	wait := retryEvery
	for {
		there, err := try(ctx, cfg, site)
		if err == nil {
			cfg.Log.Info("the demonstration's site is set up", "location", there.Location.String(), "created", there.Created)
			return there, nil
		}
		switch schema.KindOf(err) {
		case schema.Unavailable, schema.TooMany, schema.Internal:
		default:
			return there, fmt.Errorf("set up the demonstration: %w", err)
		}
		cfg.Log.Warn("the demonstration's site is not set up yet", "error", err, "again_in", wait)
		if err := sleep(ctx, wait); err != nil {
			return there, err
		}
		wait = min(2*wait, retryAtMost)
	}
}

func try(ctx context.Context, cfg Config, site provision.Site) (provision.Result, error) {
	c, err := provision.Login(ctx, provision.Config{Server: cfg.Server, Token: cfg.Token, Email: cfg.Email, Password: cfg.Password, HTTP: cfg.HTTP})
	if err != nil {
		return provision.Result{}, err
	}
	return c.Ensure(ctx, site)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// live streams until the context ends, or returns nil early when the server
// does not know the devices any more.
func live(ctx context.Context, cfg Config, world *sim.World, there provision.Result) (err error) {
	var clients []*client.Client
	defer func() {
		for _, c := range clients {
			err = errors.Join(err, c.Close())
		}
	}()
	for _, d := range there.Devices {
		c, err := client.Dial(ctx, client.Config{
			URL: cfg.Server, Token: d.Token, Agent: "mybeacon demo", Log: cfg.Log, HTTPClient: cfg.HTTP,
			// The server is next door; a minute without a map would look broken.
			MaxBackoff: 5 * time.Second,
		})
		if err != nil {
			return fmt.Errorf("connect device %d: %w", d.Number, err)
		}
		clients = append(clients, c)
	}
	return stream(ctx, cfg.Log, world, clients)
}

// stream lets the world live, one second at a time.
func stream(ctx context.Context, log *slog.Logger, world *sim.World, clients []*client.Client) error {
	next := schema.EventTimeOf(time.Now()).Second()
	accepted := time.Now()
	for {
		if err := sleep(ctx, time.Until(next.Add(time.Second).Time())); err != nil {
			return err
		}
		for _, out := range world.Step(next) {
			if err := send(clients[out.Receiver], out.Frame); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		}
		if !refused(clients) {
			accepted = time.Now()
		} else if time.Since(accepted) > refusal {
			log.Warn("the server does not know the demonstration's devices any more, setting them up anew")
			return nil
		}
		next = next.Add(time.Second)
		if now := schema.EventTimeOf(time.Now()).Second(); now.Sub(next) > tooLate {
			next = now
		}
	}
}

// send hands the frame over without waiting: a receiver cannot stop the air.
func send(c *client.Client, frame schema.Frame) error {
	full, cancel := context.WithCancel(context.Background())
	cancel()
	err := c.Send(full, frame)
	if errors.Is(err, context.Canceled) || schema.KindOf(err) == schema.Unauthorized {
		c.Drop(frame.BootID, frame.Seq, frame.Seq, "memory full")
		return nil
	}
	return err
}

func refused(clients []*client.Client) bool {
	for _, c := range clients {
		if schema.KindOf(c.Err()) == schema.Unauthorized {
			return true
		}
	}
	return false
}

// The organisations are one for each language: their names would mix.
const (
	englishOrganisation = "MyBeacon Demo"
	russianOrganisation = "MyBeacon Демо"
)

// Organisations returns the names of the organisations that demonstrations make.
func Organisations() []string { return []string{englishOrganisation, russianOrganisation} }

// Describe returns what must be on the server for the world.
func Describe(world *sim.World, language string) provision.Site {
	organisation, location, plan := englishOrganisation, "Demo office", "Ground floor"
	if language == "ru" {
		organisation, location, plan = russianOrganisation, "Демо-офис", "Первый этаж"
	}
	site := provision.Site{
		Organisation: organisation, Location: location, TimeZone: "Europe/Moscow", Clock: "device",
		Plan: provision.Plan{Name: plan, Bounds: sim.Bounds(), TagHeightM: sim.TagHeightM, Walls: world.Walls()},
	}
	for _, z := range world.Zones() {
		site.Zones = append(site.Zones, provision.Zone{Name: z.Name, Polygon: z.Polygon})
	}
	for _, r := range world.Receivers() {
		site.Receivers = append(site.Receivers, provision.Receiver{Name: r.Name, X: r.X, Y: r.Y, Z: r.Z})
	}
	for _, t := range world.Tags() {
		site.Tags = append(site.Tags, provision.Tag{Transmitter: t.Transmitter, Type: t.Type, Name: t.Name})
	}
	return site
}
