package ingest

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// ClockSource as a device's Clock says that its times come from a recording or
// another system and are taken as given.
const ClockSource = "source"

// Device is who a token belongs to. A zero Organisation means that the device
// is bound to nobody: it may connect, and its data goes nowhere.
type Device struct {
	schema.Source
	Number int64
	Clock  string // "device" or [ClockSource]
	// TokenHash is the SHA-256 of the token that lets the device in now, zero
	// when the directory does not say.
	TokenHash [sha256.Size]byte
	// LoginHash is that of its last log-in with its key, which lets it in until
	// LoginExpires.
	LoginHash    [sha256.Size]byte
	LoginExpires time.Time
	// Since is the event time from which on it has been the organisation's, or nobody's;
	// what it heard before is the former ones'. 0: what it ever heard is the
	// organisation's.
	Since  schema.EventTime
	Former []Former // the newest first

	ConfigVersion int64
	Config        string // JSON, see [wire.ReadConfig]
}

// Former is whose a device was before.
type Former struct {
	schema.Source
	From schema.EventTime // 0: ever before
	To   schema.EventTime // exclusive
}

// Admits reports whether the token of that hash lets the device in.
func (d *Device) Admits(hash [sha256.Size]byte, now time.Time) bool {
	return hash == d.TokenHash || hash == d.LoginHash && now.Before(d.LoginExpires)
}

// Directory answers who is who. Device and Tag are asked for every frame and
// must be cheap.
type Directory interface {
	// DeviceByToken returns [schema.Unauthorized] for a token that is nobody's.
	DeviceByToken(ctx context.Context, token string) (Device, error)
	// Device returns the present binding.
	Device(schema.DeviceID) (Device, bool)
	// Tag returns the organisation's tag that sends this identity.
	Tag(schema.OrganisationID, schema.Transmitter) (schema.TagID, bool)
}

// Stored reads which frames of a boot the warehouse holds. Only rows at or after
// since matter.
type Stored interface {
	StoredSeqs(ctx context.Context, src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error)
}

// Actors follow devices and tags. They never block.
type Actors interface {
	Frame(schema.FrameAdmitted)
	DeviceConnected(src schema.Source, at time.Time)
	DeviceDisconnected(id schema.DeviceID, at time.Time)
}

// Journal stores frames. Add does not wait; done is called once, on another
// goroutine, when the rows are stored or given up. An error means that nothing
// was taken and done will not be called.
type Journal interface {
	Add(frame schema.FrameAdmitted, done func(error)) error
	// Stalled returns why nothing is stored at present, nil when frames are.
	Stalled() error
}

// Config of an ingest.
type Config struct {
	Log       *slog.Logger
	Metrics   *Metrics // nil: not measured
	Directory Directory
	Stored    Stored
	Actors    Actors
	Journal   Journal
	// Quarantine may be nil: then what belongs there is only counted.
	Quarantine Quarantine
	// Notices may be nil.
	Notices Notices
	Now     func() time.Time // the server's clock
	// DerivedLost counts the rows derived from frames that storage had no room for:
	// after that, frames that were shed are news again, so that they are derived anew.
	DerivedLost func() uint64

	// Credit bounds what one device has on its way. A scanner sends a frame a
	// second or less: 256 are minutes of backlog in one round trip.
	Credit Credit
	// Quota bounds each organisation.
	Quota Quota
	// MaxInFlight bounds the observations of all devices that wait for storage. It
	// must be well below the journal's own bound, since each connection may add
	// one message to it. What is reached stops the live map too: an organisation,
	// which may fill two thirds of it alone, should get through the longest that the
	// journal takes to give a batch to the spool.
	MaxInFlight int
	// MaxDevices bounds the devices whose sequences are remembered.
	MaxDevices int
	// MaxRequests bounds the POSTs of one device that wait at the same time.
	MaxRequests int
	// MaxTags bounds the tags whose newest second is remembered.
	MaxTags int
	// Silence is how long a tag must not be heard to be absent.
	Silence time.Duration
	// LiveGrace is how long the live map waits to learn what is stored already.
	LiveGrace time.Duration
	// IdleDevice is after how long a device without connections is forgotten.
	IdleDevice time.Duration
	// RecheckEvery is how often the tokens of open streams are compared with the
	// directory's.
	RecheckEvery time.Duration
}

// Credit is what a device may have on its way. Bytes is what it is told beside
// Frames; Observations is what is enforced with Frames here.
type Credit struct {
	Frames       int
	Bytes        int
	Observations int
}

// DefaultConfig returns the usual bounds, without the collaborators.
func DefaultConfig() Config {
	return Config{
		Log:         slog.New(slog.DiscardHandler),
		Now:         time.Now,
		DerivedLost: func() uint64 { return 0 },
		Credit:      Credit{Frames: 256, Bytes: 1 << 20, Observations: 40_000},
		MaxInFlight: 500_000,
		MaxDevices:  50_000,
		MaxRequests: 4,
		MaxTags:     1_000_000,
		Silence:     time.Minute,
		LiveGrace:   2 * time.Second,
		IdleDevice:  10 * time.Minute, RecheckEvery: 2 * time.Second,
	}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	bad := func(field, message string) error { return schema.Errorf(schema.Invalid, field, "%s", message) }
	switch {
	case c.Log == nil:
		return bad("log", "is needed")
	case c.Now == nil || c.DerivedLost == nil:
		return bad("now", "now and derived_lost are needed")
	case c.Directory == nil || c.Stored == nil || c.Actors == nil || c.Journal == nil:
		return bad("directory", "directory, stored, actors and journal are needed")
	case c.Credit.Frames < 1 || c.Credit.Bytes < 1 || c.Credit.Observations < 1:
		return bad("credit", "each part must be at least 1")
	case c.MaxInFlight < 1 || c.MaxDevices < 1 || c.MaxRequests < 1 || c.MaxTags < 1:
		return bad("max_in_flight", "bounds must be at least 1")
	case !c.Quota.valid():
		return bad("quota", "rates must not be below 0, and the burst at least 100 ms")
	case c.Silence < lateLimit:
		return bad("silence", "must be longer than frames are on their way")
	case c.LiveGrace <= 0 || c.IdleDevice <= 0 || c.RecheckEvery <= 0:
		return bad("live_grace", "times must be above zero")
	default:
		return nil
	}
}
