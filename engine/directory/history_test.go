package directory_test

import (
	"testing"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// The directory knows whose a device was before, and takes no step within one
// organisation for a change of owner that is none.
func TestDirectoryKnowsFormerOwners(t *testing.T) {
	s := newSite(t)
	d := s.directory(t, nil)
	ctx := t.Context()
	other := postgrestest.Organisation(t, s.db, "other")
	device, token := postgrestest.Device(t, s.db, s.org, "02:00:00:00:00:77")
	hall, yard := postgrestest.Location(t, s.db, s.org, "hall 77"), postgrestest.Location(t, s.db, s.org, "yard 77")
	read := func() ingest.Device {
		t.Helper()
		d.Refresh(ctx)
		got, ok := d.Device(device.ID)
		if !ok {
			t.Fatal("the device is not known")
		}
		return got
	}
	move := func(to schema.LocationID) {
		t.Helper()
		if _, err := s.db.ChangeDevice(ctx, postgres.In(s.org.ID), device.ID, postgres.DevicePatch{Location: &to}); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(); got.Since != 0 || len(got.Former) != 0 {
		t.Errorf("a new device: %+v", got)
	}
	move(hall.ID)
	if got := read(); got.Since != 0 || len(got.Former) != 0 {
		t.Errorf("its location was entered later: %+v", got)
	}
	move(yard.ID)
	if got := read(); got.Since == 0 || len(got.Former) < 1 || got.Former[0].Location != hall.ID || got.Former[0].To != got.Since {
		t.Errorf("it was moved: %+v", got)
	}
	if _, err := s.db.BindDevice(ctx, postgres.AllOrganisations(), device.ID, other.ID, schema.LocationID{}); err != nil {
		t.Fatal(err)
	}
	got := read()
	if got.Organisation != other.ID || got.Former[0].Organisation != s.org.ID || got.Former[0].Location != yard.ID || got.Former[0].KeepDays != 365 || got.Former[0].To != got.Since {
		t.Errorf("bound anew: %+v", got)
	}
	if oldest := got.Former[len(got.Former)-1]; oldest.From != 0 {
		t.Errorf("what it heard before it was bound is the first owner's: %+v", oldest)
	}
	if _, err := d.DeviceByToken(ctx, token); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("the former owner's token: %v", err)
	}
	before := schema.EventTimeOf(time.Now())
	if _, err := s.db.UnbindDevice(ctx, postgres.AllOrganisations(), device.ID); err != nil {
		t.Fatal(err)
	}
	if got = read(); !got.Organisation.IsZero() || got.Since < before-1000 || got.Former[0].Organisation != other.ID || got.Former[0].To != got.Since {
		t.Errorf("unbound: %+v", got)
	}
}
