package live_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/edge/client"
	"mybeacon/engine/ingest"
	"mybeacon/schema"
)

// R11, scaled: when the server restarts, its devices come back by themselves, each
// at the time that was drawn for it and not all at once.
func TestDevicesComeBackSpread(t *testing.T) {
	const devices = 300
	dir := newRegistry()
	for i := range devices {
		dir.devices[fmt.Sprint("storm-", i)] = ingest.Device{Clock: ingest.ClockSource, Source: schema.Source{
			Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{4, byte(i >> 8), byte(i)}, KeepDays: schema.KeepForever,
		}}
	}
	conn := warehouse(t)
	h := startHouse(t, conn, dir, "", nil)
	clients := make([]*client.Client, devices)
	for i := range clients {
		clients[i] = uplink(t, h.url, func(c *client.Config) {
			c.Token, c.MinBackoff, c.MaxBackoff = fmt.Sprint("storm-", i), time.Second, time.Minute
		})
	}
	connected := func(times int) (n int) {
		for _, c := range clients {
			if s := c.Stats(); s.Connected && s.Connects == times {
				n++
			}
		}
		return n
	}
	until := func(want, times int) {
		t.Helper()
		limit := time.After(60 * time.Second)
		for connected(times) < want {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-limit:
				t.Fatalf("%d of %d devices are connected", connected(times), devices)
			}
		}
	}
	until(devices, 1)
	h.stop(t)
	startHouse(t, conn, dir, strings.TrimPrefix(h.url, "http://"), nil)
	began := time.Now()
	var quarters []time.Duration // when each quarter of them was back
	for part := 1; part <= 4; part++ {
		until(devices*part/4, 2)
		quarters = append(quarters, time.Since(began))
	}
	t.Logf("the quarters of the devices were back after %v", quarters)
	if spread := quarters[3] - quarters[0]; spread < time.Second || !slices.IsSorted(quarters) {
		t.Errorf("they came back within %v of each other", spread)
	}
}
