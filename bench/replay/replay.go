package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"

	"mybeacon/bench/recording"
	"mybeacon/edge/client"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// Config of a replay.
type Config struct {
	Dir    string // the recording's folder, see package recording
	Server string
	// Token, or Email and Password, is the login that sets up the site.
	Token           string
	Email, Password string
	// Create makes what is missing on the server; else that is an error.
	Create bool
	// Speed is a multiple of real time; 0 is as fast as acknowledged.
	Speed float64
	// Survey gives the plan the recording's survey too, where there is one.
	Survey bool
	// Site is the name of organisation and location; empty: as the recording says.
	Site string
	Log  *slog.Logger
	// Progress, if set, hears how much of the recording was sent; see [Meter].
	Progress func(done, total time.Duration)
}

// Result is what was replayed, in the form that --json prints.
type Result struct {
	Organisation      schema.OrganisationID `json:"organisation"`
	Location          schema.LocationID     `json:"location"`
	FramesSent        int                   `json:"frames_sent"`
	FramesAcked       int                   `json:"frames_acked"`
	ObservationsSent  int                   `json:"observations_sent"`
	ObservationsAcked int                   `json:"observations_acked"`
	Seconds           float64               `json:"seconds"` // wall clock, from the first frame
}

// Run replays a recording and returns when all of it is acknowledged. On an
// error the result holds what was done until then.
func Run(ctx context.Context, cfg Config) (Result, error) {
	site, err := recording.Read(os.DirFS(cfg.Dir))
	if err != nil {
		return Result{}, fmt.Errorf("read the recording %s: %w", cfg.Dir, err)
	}
	if cfg.Site != "" {
		site.Name = cfg.Site
	}
	wanted := describe(site)
	if cfg.Survey {
		if wanted.Surveys, err = surveysOf(cfg.Dir, site); err != nil {
			return Result{}, err
		}
	}
	player, err := NewPlayer(site, transmitters(wanted), cfg.Speed, cfg.Progress)
	if err != nil {
		return Result{}, err
	}
	release, err := alone(cfg.Server, site.Name)
	if err != nil {
		return Result{}, err
	}
	defer release()
	there, err := setUp(ctx, cfg, wanted)
	if err != nil {
		return Result{}, err
	}
	result := Result{Organisation: there.Organisation, Location: there.Location}
	clients, err := dial(ctx, cfg, player, there.Devices)
	if err != nil {
		return result, err
	}
	uplinks := make([]Uplink, len(clients))
	for i, c := range clients {
		uplinks[i] = c
	}
	start := time.Now()
	err = player.Play(ctx, uplinks)
	result.Seconds = time.Since(start).Seconds()
	for _, c := range clients {
		err = errors.Join(err, c.Close())
		s := c.Stats()
		result.FramesSent += s.FramesSent
		result.FramesAcked += s.FramesAcked
		result.ObservationsSent += s.ObservationsSent
		result.ObservationsAcked += s.ObservationsAcked
	}
	return result, err
}

// setUp finds or makes the site on the server.
func setUp(ctx context.Context, cfg Config, site provision.Site) (provision.Result, error) {
	c, err := provision.Login(ctx, provision.Config{Server: cfg.Server, Token: cfg.Token, Email: cfg.Email, Password: cfg.Password})
	if err != nil {
		return provision.Result{}, err
	}
	if cfg.Create {
		return c.Ensure(ctx, site)
	}
	there, err := c.Find(ctx, site)
	if schema.KindOf(err) == schema.NotFound {
		err = fmt.Errorf("%w; --create makes what is missing", err)
	}
	return there, err
}

func dial(ctx context.Context, cfg Config, player *Player, devices []provision.Device) ([]*client.Client, error) {
	clients := make([]*client.Client, 0, len(devices))
	for i, d := range devices {
		c, err := client.Dial(ctx, client.Config{
			URL: cfg.Server, Token: d.Token, BootID: player.BootID(), Agent: "mybeacon replay", Log: cfg.Log,
			// The server is near and a person waits.
			MinBackoff: 200 * time.Millisecond, MaxBackoff: 5 * time.Second,
			OnAck: func(boot string, from, to uint64) { player.Acked(i, boot, from, to) },
		})
		if err != nil {
			for _, c := range clients {
				err = errors.Join(err, c.Close())
			}
			return nil, fmt.Errorf("connect device %d: %w", d.Number, err)
		}
		clients = append(clients, c)
	}
	return clients, nil
}

// describe turns a recording into what must be there on the server.
func describe(site *recording.Site) provision.Site {
	out := provision.Site{
		Organisation: site.Name, Location: site.Name, KeepDays: schema.KeepForever, Clock: "source",
		Plan: provision.Plan{Name: site.Name, Bounds: site.Bounds, TagHeightM: site.TagHeightM},
	}
	for _, z := range site.Zones {
		out.Zones = append(out.Zones, provision.Zone{Name: z.Name, Polygon: z.Polygon})
	}
	for _, r := range site.Receivers {
		out.Receivers = append(out.Receivers, provision.Receiver{Name: r.Name, X: r.X, Y: r.Y, Z: r.Z})
	}
	uuid := schema.DeriveID[[16]byte]([]byte("mybeacon replay"), []byte(site.Name))
	for i, t := range site.Tracks {
		out.Tags = append(out.Tags, provision.Tag{
			Transmitter: schema.IBeacon(uuid, 1, uint16(i+1)), Type: typeOf(t.Name), Name: t.Name,
		})
	}
	return out
}

// surveysOf reads the recording's survey.
func surveysOf(dir string, site *recording.Site) ([]provision.Survey, error) {
	points, err := recording.ReadSurvey(os.DirFS(dir), site.Receivers)
	if err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", dir, err)
	}
	s := provision.Survey{Name: site.Name}
	for _, p := range points {
		s.Readings = append(s.Readings, provision.Reading{X: p.X, Y: p.Y, Receiver: p.Receiver, RSSI: p.RSSI})
	}
	return []provision.Survey{s}, nil
}

func transmitters(site provision.Site) []schema.Transmitter {
	out := make([]schema.Transmitter, len(site.Tags))
	for i, t := range site.Tags {
		out[i] = t.Transmitter
	}
	return out
}

// typeOf guesses from a track's name what carried the tag; most are people.
func typeOf(track string) string {
	for _, word := range strings.FieldsFunc(strings.ToLower(track), func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch word {
		case "car", "vehicle", "truck", "forklift", "van", "bus":
			return "vehicle"
		case "robot", "asset", "cart", "trolley", "pallet", "box", "static":
			return "asset"
		}
	}
	return "person"
}
