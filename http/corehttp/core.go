package corehttp

import (
	"context"
	"time"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Online says which devices are connected.
type Online interface {
	// Online reports whether a device is online and when it was last heard of,
	// zero when not since this server started.
	Online(schema.DeviceID) (bool, time.Time)
}

// Plans is what locations show of the products' plans.
type Plans interface {
	PlansOf(context.Context, postgres.Scope, []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error)
}

// Placed knows which devices may not be moved to another location.
type Placed interface {
	// MayMove is a Conflict for a device that something holds where it is.
	MayMove(context.Context, postgres.Scope, schema.DeviceID) error
}

// Config is what the routes need besides the shell.
type Config struct {
	DB     *postgres.DB
	Online Online
	Plans  Plans
	Placed Placed
	// PlansGone is called after a location went with its plans; nil does nothing.
	PlansGone func(context.Context)
	// Finders are the products whose objects can be searched, by product.
	Finders map[string]Finder
	// Measured and Reports are the engine's; nil: nothing is measured, and reports are
	// stored one by one.
	Measured Measured
	Reports  Reports
	// Changed is called after organisations, locations or devices changed and
	// before the answer, so that a device that uses its new token at once is
	// known. It must not fail; nil does nothing.
	Changed func(context.Context)
}

type routes struct {
	Config
	products []string // all there are
	door     *door
}

// Register adds the routes to the server.
func Register(s *shell.Server, cfg Config) {
	if cfg.Changed == nil {
		cfg.Changed = func(context.Context) {}
	}
	r := &routes{cfg, s.Products(), newDoor()}
	r.locations(s)
	r.devices(s)
	r.search(s)
}

// idPath is the input of what acts on one object.
type idPath[I ~[16]byte] struct {
	ID string `path:"id" format:"uuid"`
}

// parse returns the id; one that cannot be read names no object.
func (p idPath[I]) parse() (I, error) { return shell.ParseID[I](p.ID) }

// optionalTime is null in JSON while unset.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
