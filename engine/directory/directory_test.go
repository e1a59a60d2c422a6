package directory_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/directory"
	"mybeacon/engine/module"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// site is one organisation with one device, and what a product would publish
// of it.
type site struct {
	db     *postgres.DB
	org    postgres.Organisation
	device postgres.Device
	token  string
	world  module.World
	layout schema.Layout
	tag    schema.Tag
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{db: postgrestest.Open(t)}
	s.org = postgrestest.Organisation(t, s.db, "Shop", "ble")
	at := postgrestest.Location(t, s.db, s.org, "Main street")
	s.device, s.token = postgrestest.Device(t, s.db, s.org, "02:00:5e:10:00:01")
	receiver, zone := schema.NewID[schema.ReceiverID](), schema.NewID[schema.ZoneID]()
	s.layout = schema.Layout{
		Organisation: s.org.ID, Location: at.ID, Plan: schema.NewID[schema.PlanID](), Version: 1,
		Receivers: []schema.Placement{{Receiver: receiver, Device: s.device.ID, X: 1, Y: 2, Z: 3}},
		Zones:     []schema.Zone{{ID: zone, Number: 1, Name: "Canteen"}},
	}
	s.tag = schema.Tag{Organisation: s.org.ID, ID: schema.NewID[schema.TagID](), Transmitter: schema.IBeacon([16]byte{1}, 1, 7), Name: "Maria", Type: "person"}
	s.world = module.World{
		Layouts:    []schema.Layout{s.layout},
		Tags:       []schema.Tag{s.tag},
		Placements: map[schema.DeviceID]module.Placement{s.device.ID: {Organisation: s.org.ID, Location: at.ID, Plan: s.layout.Plan, Receiver: receiver}},
		Names:      []module.Name{{Organisation: s.org.ID, Kind: "zone", ID: zone, Name: "Canteen"}},
	}
	return s
}

func (s *site) directory(t *testing.T, names directory.NameWriter) *directory.Directory {
	t.Helper()
	d := directory.New(directory.Config{Devices: s.db, Names: names, Log: slog.New(slog.DiscardHandler)})
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Publish("ble", s.world)
	return d
}

func TestDirectoryJoinsDevicesAndPlacements(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	got, err := d.DeviceByToken(t.Context(), s.token)
	if err != nil {
		t.Fatal(err)
	}
	want := schema.Source{
		Organisation: s.org.ID, Device: s.device.ID, Location: s.layout.Location,
		Plan: s.layout.Plan, Receiver: s.layout.Receivers[0].Receiver, KeepDays: 365,
	}
	if diff := cmp.Diff(want, got.Source); diff != "" {
		t.Error(diff)
	}
	if again, ok := d.Device(s.device.ID); !ok || !cmp.Equal(again, got) {
		t.Errorf("by id: %+v, by token: %+v", again, got)
	}
}

func TestUnknownTokenIsUnauthorized(t *testing.T) {
	d := newSite(t).directory(t, nil)
	for _, token := range []string{"", "mbd_", postgres.NewSecret(postgres.DeviceTokenPrefix)} {
		if _, err := d.DeviceByToken(t.Context(), token); schema.KindOf(err) != schema.Unauthorized {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestKnownTokenPassesWhileTheStoreIsAway(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	want, err := d.DeviceByToken(t.Context(), s.token)
	if err != nil {
		t.Fatal(err)
	}
	s.db.Close()
	if got, err := d.DeviceByToken(t.Context(), s.token); err != nil || !cmp.Equal(got, want) {
		t.Errorf("known token: %+v, %v", got, err)
	}
	if _, err := d.DeviceByToken(t.Context(), postgres.NewSecret(postgres.DeviceTokenPrefix)); schema.KindOf(err) != schema.Unavailable {
		t.Errorf("unknown token: %v, want unavailable: nobody can tell now", err)
	}
	if err := d.Reload(t.Context()); err == nil {
		t.Error("reading from a closed store succeeded")
	}
	if _, ok := d.Device(s.device.ID); !ok {
		t.Error("a failed read forgot what was known")
	}
}

func TestRotatedTokenEndsTheOldOne(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	if _, err := d.DeviceByToken(t.Context(), s.token); err != nil {
		t.Fatal(err)
	}
	fresh := postgres.NewSecret(postgres.DeviceTokenPrefix)
	if _, err := s.db.RotateDeviceToken(t.Context(), postgres.In(s.org.ID), s.device.ID, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := d.DeviceByToken(t.Context(), s.token); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("old token: %v", err)
	}
	if _, err := d.DeviceByToken(t.Context(), fresh); err != nil {
		t.Error(err)
	}
}

func TestForeignPlacementIsIgnored(t *testing.T) {
	s := newSite(t)
	place := s.world.Placements[s.device.ID]
	place.Organisation = schema.NewID[schema.OrganisationID]()
	s.world.Placements[s.device.ID] = place
	got, _ := s.directory(t, nil).Device(s.device.ID)
	if !got.Plan.IsZero() || !got.Receiver.IsZero() {
		t.Errorf("the device hangs on another organisation's plan: %+v", got)
	}
}

func TestTagsAreTheirOrganisations(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	if id, ok := d.Tag(s.org.ID, s.tag.Transmitter); !ok || id != s.tag.ID {
		t.Errorf("own tag: %v, %v", id, ok)
	}
	if _, ok := d.Tag(schema.NewID[schema.OrganisationID](), s.tag.Transmitter); ok {
		t.Error("another organisation found the tag")
	}
	if info, ok := d.TagInfo(s.tag.ID); !ok || info.Name != "Maria" {
		t.Errorf("info: %+v, %v", info, ok)
	}
	if name, ok := d.ZoneName(s.layout.Zones[0].ID); !ok || name != "Canteen" {
		t.Errorf("zone: %q, %v", name, ok)
	}
}

func TestPublishReplacesTheWholeWorld(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	if _, ok := d.Layout(s.layout.Plan); !ok {
		t.Fatal("the published plan is unknown")
	}
	d.Publish("ble", module.World{})
	if _, ok := d.Layout(s.layout.Plan); ok {
		t.Error("a plan that is no more is still there")
	}
	if _, ok := d.Tag(s.org.ID, s.tag.Transmitter); ok {
		t.Error("a tag that is no more is still there")
	}
}

// Tags that were added are known like those that were published, survive a reading
// of the devices, and are copied to the warehouse.
func TestExtend(t *testing.T) {
	s := newSite(t)
	book := &nameBook{names: map[string]int{}, got: make(chan struct{}, 10)}
	d := s.directory(t, book)
	const n = 2000 // more than a snapshot keeps apart
	tag := func(i int) schema.Tag {
		return schema.Tag{Organisation: s.org.ID, ID: schema.TagID{1, byte(i >> 8), byte(i)}, Transmitter: schema.IBeacon([16]byte{2}, 1, uint16(i)), Name: "added", Type: "asset"}
	}
	for i := range n {
		d.Extend("ble", module.World{Tags: []schema.Tag{tag(i)}, Names: []module.Name{{Organisation: s.org.ID, Kind: "tag", ID: tag(i).ID, Name: "added"}}})
		if id, ok := d.Tag(s.org.ID, tag(i).Transmitter); !ok || id != tag(i).ID {
			t.Fatalf("tag %d is unknown at once", i)
		}
	}
	check := func() {
		t.Helper()
		for i := range n {
			id, ok := d.Tag(s.org.ID, tag(i).Transmitter)
			info, known := d.TagInfo(tag(i).ID)
			if !ok || !known || id != tag(i).ID || info != tag(i) {
				t.Fatalf("tag %d is %v, %+v", i, id, info)
			}
		}
		if _, ok := d.TagInfo(s.tag.ID); !ok {
			t.Error("the tag that was published is unknown")
		}
	}
	check()
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	check()
	if len(s.world.Tags) != 1 || cap(s.world.Tags) != 1 {
		t.Error("what the module gave was changed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-book.got
	cancel()
	<-ended
	if book.names["tag added"] != n {
		t.Errorf("%d names were copied", book.names["tag added"])
	}
	d.Publish("ble", s.world)
	if _, ok := d.Tag(s.org.ID, tag(0).Transmitter); ok {
		t.Error("a tag that is no more is still there")
	}
}

func TestPlanChangedTellsWhatChanged(t *testing.T) {
	s := newSite(t)
	var told []schema.PlanID
	var d *directory.Directory
	d = directory.New(directory.Config{Devices: s.db, Log: slog.New(slog.DiscardHandler), PlanChanged: func(id schema.PlanID) {
		if l, ok := d.Layout(id); ok && l.Version == 1 {
			t.Error("told before the change could be seen")
		}
		told = append(told, id)
	}})
	publish := func(version uint64) {
		l := s.layout
		l.Version = version
		d.Publish("ble", module.World{Layouts: []schema.Layout{l}})
	}
	publish(1)
	publish(1)
	if len(told) != 0 {
		t.Errorf("told of %v although nothing changed", told)
	}
	publish(2)
	d.Publish("ble", module.World{})
	if diff := cmp.Diff([]schema.PlanID{s.layout.Plan, s.layout.Plan}, told); diff != "" {
		t.Error(diff)
	}
}

// nameBook stands for the warehouse: the test waits for what is written to it.
type nameBook struct {
	mu    sync.Mutex
	names map[string]int
	got   chan struct{}
}

func (b *nameBook) WriteNames(_ context.Context, names []module.Name, _ uint64) error {
	b.mu.Lock()
	for _, n := range names {
		b.names[n.Kind+" "+n.Name]++
	}
	b.mu.Unlock()
	b.got <- struct{}{}
	return nil
}

func TestNamesAreWrittenOnceUntilTheyChange(t *testing.T) {
	s := newSite(t)
	book := &nameBook{names: map[string]int{}, got: make(chan struct{}, 10)}
	d := s.directory(t, book)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-book.got
	s.world.Names[0].Name = "Dining hall"
	d.Publish("ble", s.world)
	<-book.got
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"location Main street": 1, "device Receiver #1": 1, "zone Canteen": 1, "zone Dining hall": 1}
	if diff := cmp.Diff(want, book.names); diff != "" {
		t.Error(diff)
	}
}

func TestChangedReadsDevicesAnew(t *testing.T) {
	s := newSite(t)
	book := &nameBook{names: map[string]int{}, got: make(chan struct{}, 10)}
	d := s.directory(t, book)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-book.got
	second, _ := postgrestest.Device(t, s.db, s.org, "02:00:5e:10:00:02")
	d.Changed()
	<-book.got // its name is new, so this is after the read
	if _, ok := d.Device(second.ID); !ok {
		t.Error("the new device is unknown")
	}
	cancel()
	<-ended
}
