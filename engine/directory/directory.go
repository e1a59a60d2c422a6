package directory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/module"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Devices is the core's store, as far as the directory needs it.
type Devices interface {
	Bindings(context.Context, postgres.Scope) ([]postgres.Binding, error)
	DeviceByToken(ctx context.Context, token string) (postgres.Binding, error)
	Names(context.Context, postgres.Scope) ([]postgres.Named, error)
}

// NameWriter copies what things are called to the warehouse.
type NameWriter interface {
	WriteNames(ctx context.Context, names []module.Name, rev uint64) error
}

// Config of a directory. Names and PlanChanged may be nil.
type Config struct {
	Devices Devices
	Names   NameWriter
	Log     *slog.Logger
	// PlanChanged is called after a plan was changed or removed, when Layout
	// shows it already.
	PlanChanged func(schema.PlanID)
	// Refresh is how often everything is read anew although nobody told of a
	// change; it bounds how long a lost notification can matter.
	Refresh time.Duration
}

// Directory answers the engine's questions from an atomic snapshot.
type Directory struct {
	cfg     Config
	current atomic.Pointer[snapshot]

	mu     sync.Mutex // guards what snapshots are built from
	core   core
	worlds map[string]module.World

	changed chan struct{}           // devices changed: read them anew
	renamed chan struct{}           // names may differ from what the warehouse has
	written map[nameKey]module.Name // by the writer's goroutine only
}

// core is what the core's store said last.
type core struct {
	devices []postgres.Binding
	names   []postgres.Named
	at      time.Time // when it said so
}

type nameKey struct {
	org  schema.OrganisationID
	kind string
	id   [16]byte
}

// New returns an empty directory; call Reload before it is asked anything.
func New(cfg Config) *Directory {
	if cfg.Refresh <= 0 {
		cfg.Refresh = 30 * time.Second
	}
	d := &Directory{
		cfg:     cfg,
		worlds:  map[string]module.World{},
		changed: make(chan struct{}, 1),
		renamed: make(chan struct{}, 1),
		written: map[nameKey]module.Name{},
	}
	d.current.Store(newSnapshot(core{}, nil))
	return d
}

// Publish replaces what the module of that id published before.
func (d *Directory) Publish(id string, world module.World) {
	d.mu.Lock()
	before := d.current.Load()
	world.Tags, world.Names = slices.Clip(world.Tags), slices.Clip(world.Names) // what Extend appends is ours
	d.worlds[id] = world
	d.rebuild()
	after := d.current.Load()
	d.mu.Unlock()
	if d.cfg.PlanChanged == nil {
		return
	}
	for plan, old := range before.layouts {
		if now, ok := after.layouts[plan]; !ok || now.Version != old.Version {
			d.cfg.PlanChanged(plan)
		}
	}
}

// Extend adds tags and their names to what the module of that id published.
func (d *Directory) Extend(id string, more module.World) {
	if len(more.Layouts)+len(more.Placements) > 0 {
		panic("BUG: only tags are added to what was published")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// Appending does not change what the module gave or what a snapshot shows: both
	// end before what is appended, and nobody else appends.
	world := d.worlds[id]
	world.Tags = append(world.Tags, more.Tags...)
	world.Names = append(world.Names, more.Names...)
	d.worlds[id] = world
	d.current.Store(d.current.Load().extended(more))
	wake(d.renamed)
}

// Reload reads devices and names anew.
func (d *Directory) Reload(ctx context.Context) error {
	devices, err := d.cfg.Devices.Bindings(ctx, postgres.AllOrganisations())
	if err != nil {
		return fmt.Errorf("read devices: %w", err)
	}
	names, err := d.cfg.Devices.Names(ctx, postgres.AllOrganisations())
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.core = core{devices, names, time.Now()}
	d.rebuild()
	return nil
}

// ReadAt returns when the store was last read, zero before the first time.
func (d *Directory) ReadAt() time.Time { return d.current.Load().at }

// Refresh reads devices and names anew now; when the store is away what was
// known stays in force.
func (d *Directory) Refresh(ctx context.Context) { d.reload(ctx) }

// Changed tells that devices may have changed; Run reads them soon after. It
// never blocks.
func (d *Directory) Changed() { wake(d.changed) }

// rebuild makes the next snapshot; the caller holds mu.
func (d *Directory) rebuild() {
	worlds := make([]module.World, 0, len(d.worlds))
	for _, id := range slices.Sorted(maps.Keys(d.worlds)) {
		worlds = append(worlds, d.worlds[id])
	}
	d.current.Store(newSnapshot(d.core, worlds))
	wake(d.renamed)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// namesPause is how long names gather between two copies to the warehouse, whose
// inserts should be few and large.
const namesPause = time.Second

// Run keeps the snapshot fresh and copies names to the warehouse until the
// context ends.
func (d *Directory) Run(ctx context.Context) error {
	tick := time.NewTicker(d.cfg.Refresh)
	defer tick.Stop()
	renamed := d.renamed // nil while names gather
	gathered := time.NewTimer(0)
	defer gathered.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.changed:
			d.reload(ctx)
		case <-tick.C:
			d.reload(ctx)
			d.writeNames(ctx)
		case <-renamed:
			d.writeNames(ctx)
			renamed = nil
			gathered.Reset(namesPause)
		case <-gathered.C:
			renamed = d.renamed
		}
	}
}

// reload keeps the old snapshot when the store is away: what was known stays
// true until it can be asked again.
func (d *Directory) reload(ctx context.Context) {
	if err := d.Reload(ctx); err != nil && !errors.Is(err, context.Canceled) {
		d.cfg.Log.Warn("devices not read anew, the last known ones stay in force", "error", err)
	}
}

// writeNames copies the names that differ from what was written since the start.
func (d *Directory) writeNames(ctx context.Context) {
	if d.cfg.Names == nil {
		return
	}
	var fresh []module.Name
	for _, n := range d.current.Load().names {
		if d.written[nameKey{n.Organisation, n.Kind, n.ID}] != n {
			fresh = append(fresh, n)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if err := d.cfg.Names.WriteNames(ctx, fresh, uint64(time.Now().UnixMilli())); err != nil {
		if !errors.Is(err, context.Canceled) {
			d.cfg.Log.Warn("names not copied to the warehouse, will be tried again", "names", len(fresh), "error", err)
		}
		return
	}
	for _, n := range fresh {
		d.written[nameKey{n.Organisation, n.Kind, n.ID}] = n
	}
}

// maxOutage is for how long tokens are believed that the store said last: an
// outage of what people enter must not stop the scanners, and a token that was
// taken back must not open doors for ever.
const maxOutage = 24 * time.Hour

// DeviceByToken returns the device that the token was given to. While the store
// is away, the tokens that it knew last let in, for a day; any other one is
// [schema.Unavailable], since nobody can tell.
func (d *Directory) DeviceByToken(ctx context.Context, token string) (ingest.Device, error) {
	bound, err := d.cfg.Devices.DeviceByToken(ctx, token)
	now := d.current.Load()
	switch kind := schema.KindOf(err); {
	case err == nil:
		if known := now.byID[bound.ID]; known.TokenHash != bound.TokenHash || known.LoginHash != bound.LoginHash {
			d.Changed() // not heard of yet
		}
		return now.device(bound), nil
	case kind == schema.Unauthorized:
		return ingest.Device{}, err
	}
	hash := sha256.Sum256([]byte(token))
	if id, known := now.byToken[hash]; known && time.Since(now.at) < maxOutage {
		if dev := now.byID[id]; dev.Admits(hash, time.Now()) {
			return dev, nil
		}
	}
	return ingest.Device{}, &schema.Error{Kind: schema.Unavailable, Message: "devices cannot be looked up now, try again", Err: err}
}

// Device returns the device's present binding.
func (d *Directory) Device(id schema.DeviceID) (ingest.Device, bool) {
	dev, ok := d.current.Load().byID[id]
	return dev, ok
}

// Tag returns the organisation's tag that sends this identity.
func (d *Directory) Tag(org schema.OrganisationID, tx schema.Transmitter) (schema.TagID, bool) {
	return d.current.Load().tag(tagKey{org, tx})
}

// Layout returns what the plan looks like now. The caller must not change it.
func (d *Directory) Layout(plan schema.PlanID) (*schema.Layout, bool) {
	l, ok := d.current.Load().layouts[plan]
	return l, ok
}

// TagInfo returns the tag's name and type.
func (d *Directory) TagInfo(id schema.TagID) (schema.Tag, bool) {
	return d.current.Load().info(id)
}

// ZoneName returns what the zone is called.
func (d *Directory) ZoneName(id schema.ZoneID) (string, bool) {
	name, ok := d.current.Load().zoneNames[id]
	return name, ok
}

// Location returns the organisation of a location and its plans.
func (d *Directory) Location(id schema.LocationID) (schema.OrganisationID, []*schema.Layout, bool) {
	l, ok := d.current.Load().locations[id]
	return l.org, l.layouts, ok
}
