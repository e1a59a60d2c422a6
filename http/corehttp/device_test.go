package corehttp_test

import (
	"strings"
	"testing"
	"time"

	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/corehttp"
	"mybeacon/schema"
)

func TestDevices(t *testing.T) {
	s, at := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	hall, yard := postgrestest.Location(t, s.DB, o, "hall"), postgrestest.Location(t, s.DB, o, "yard")
	c := s.Acting(o)
	var made corehttp.Device
	c.Want(201, "POST", devices, map[string]any{"organisation_id": o.ID, "location_id": hall.ID, "mac": "02-00-5E-10-00-01", "name": "door"}, &made)
	if made.Number != 1 || made.MAC != "02:00:5e:10:00:01" || made.Clock != "device" || made.Status != "never" || made.LastSeen != nil || !strings.HasPrefix(made.Token, "mbd_") {
		t.Errorf("got %+v", made)
	}
	if bound, err := s.DB.DeviceByToken(t.Context(), made.Token); err != nil || bound.ID != made.ID {
		t.Errorf("the token opens %+v, %v", bound, err)
	}
	one := devices + "/" + made.ID.String()
	var turned corehttp.Device
	c.Want(200, "POST", one+"/token", nil, &turned)
	if turned.Token == made.Token || !strings.HasPrefix(turned.Token, "mbd_") {
		t.Errorf("got %+v", turned)
	}
	if _, err := s.DB.DeviceByToken(t.Context(), made.Token); schema.KindOf(err) != schema.Unauthorized || err == nil {
		t.Errorf("the old token: %v", err)
	}
	seen := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at.online[made.ID] = seen
	var found list[corehttp.Device]
	for _, filter := range []string{"number=1", "mac=02005e100001", "mac=02%3A00%3A5e%3A10%3A00%3A01", "location_id=" + hall.ID.String()} {
		c.Want(200, "GET", devices+"?"+filter, nil, &found)
		if len(found.Items) != 1 || found.Items[0].Status != "online" || !found.Items[0].LastSeen.Equal(seen) || found.Items[0].Token != "" {
			t.Errorf("%s: got %+v", filter, found)
		}
	}
	c.Refuse(409, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": made.MAC})
	c.Refuse(400, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": "nonsense"})
	c.Refuse(400, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": "02:00:5e:10:00:02", "clock": "sundial"})

	var changed corehttp.Device
	c.Want(200, "PATCH", one, map[string]any{"name": "gate", "location_id": yard.ID, "clock": "source"}, &changed)
	if changed.Name != "gate" || changed.LocationID != yard.ID || changed.Clock != "source" || changed.Token != "" {
		t.Errorf("got %+v", changed)
	}
	c.Want(200, "PATCH", one, map[string]any{}, &changed)
	if changed.Name != "gate" || changed.LocationID != yard.ID {
		t.Errorf("an empty patch changed %+v", changed)
	}
	at.hangs = made.ID
	c.Refuse(409, "PATCH", one, map[string]any{"location_id": hall.ID})
	c.Want(200, "PATCH", one, map[string]any{"location_id": yard.ID}, nil)
	at.hangs = schema.DeviceID{}
	c.Want(200, "PATCH", one, map[string]any{"location_id": ""}, &changed)
	if !changed.LocationID.IsZero() {
		t.Errorf("got %+v", changed)
	}
	c.Refuse(404, "PATCH", one, map[string]any{"location_id": schema.NewID[schema.LocationID]()})
	c.Refuse(404, "PATCH", one, map[string]any{"location_id": "7"})
	if at.changes.Load() != 6 {
		t.Errorf("%d changes were announced, want 6", at.changes.Load())
	}
}
