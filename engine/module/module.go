// Package module is the contract between the core and a product. A product is
// one package under engine/modules that implements [Module]; engine/node lists
// the products explicitly and starts them in that order, stops them in reverse.
//
// A module reaches the core through [Host] only. What the engine must know of a
// product's sites - where receivers hang, which zones there are, which
// transmitters are whose - the module publishes as one [World], whole and anew
// after every change.
package module

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Module is one product.
type Module interface {
	// ID is the product's word, such as "ble": the organisation's product flag,
	// the route group and the folder carry it.
	ID() string
	// Start publishes the first World before it returns. The context bounds the
	// start only; background work ends with Stop.
	Start(context.Context, Host) error
	// Stop ends background work within the context's time. It is called once,
	// and only after a Start that succeeded.
	Stop(context.Context) error
}

// Migrator is a module with tables that the core does not make for it.
type Migrator interface {
	// Migrations returns its numbered migrations of PostgreSQL, 0001_name.sql and on,
	// at the root. They run before Start and are counted apart from all others.
	Migrations() fs.FS
}

// Host is what the core offers to a module.
type Host struct {
	Log *slog.Logger
	DB  *postgres.DB
	// Warehouse is asked for what was observed. It may be away.
	Warehouse *clickhouse.DB
	Clock     func() time.Time
	// Files keeps what people upload, and Images makes pictures of it. A module that
	// keeps some implements [FileUser].
	Files  files.Store
	Images *images.Decoder
	// Publish replaces what the module published before. It is safe for
	// concurrent use and does not block on I/O; the World must not be changed
	// afterwards.
	Publish func(World)
	// Extend adds new tags, with their names, to what the module published before:
	// they are registered by the thousand, and publishing all for each would cost
	// the square. It is as Publish otherwise; the other fields must be empty.
	// What is there already may be added again.
	Extend func(World)
	// Live says where tags are now; nil: nobody follows them.
	Live Live
}

// Live says where tags are now. Its methods do not block on I/O.
type Live interface {
	// Where returns the tag's newest state, also for some minutes after it was heard
	// last; false: it is not followed.
	Where(schema.TagID) (schema.TagMoved, bool)
	// Present returns the newest states of all tags at the location, in no order.
	Present(schema.LocationID) []schema.TagMoved
}

// FileUser is a module that keeps files.
type FileUser interface {
	// FilesUsed returns those of the organisation's files that the module's rows name;
	// others are removed an hour after they were kept.
	FilesUsed(context.Context, schema.OrganisationID, []files.Digest) ([]files.Digest, error)
}

// World is everything of one product that the engine needs, across all
// organisations.
type World struct {
	Layouts    []schema.Layout
	Tags       []schema.Tag
	Placements map[schema.DeviceID]Placement
	Names      []Name
}

// Placement is where a device's receiver hangs.
type Placement struct {
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Plan         schema.PlanID
	Receiver     schema.ReceiverID
}

// Name is what people call a thing; it is copied to the warehouse for analysts.
type Name struct {
	Organisation schema.OrganisationID
	Kind         string // "location", "plan", "zone", "receiver", "device" or "tag"
	ID           [16]byte
	Name         string
}
