package ingest

import (
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Quarantine keeps observations apart whose times cannot be believed. Put never
// waits; what finds no room is lost and has been counted.
type Quarantine interface {
	Put(schema.Quarantined)
}

// How many rows of the quarantine one device may fill: enough to see what is
// wrong with it, little enough that a broken clock does not fill a disk.
const (
	asideRate  = 10 // a second
	asideBurst = 30 * time.Second
)

// putFrameAside keeps a frame whose own time cannot be believed.
func (o *offer) putFrameAside(f *schema.Frame, reason wire.Reason) {
	if !reason.Quarantined() {
		return
	}
	for i := range f.Observations {
		o.putAside(f, i, reason)
	}
}

// putAside keeps the observation if the reason is its time and the device has
// not filled its part.
func (o *offer) putAside(f *schema.Frame, index int, reason wire.Reason) {
	if !reason.Quarantined() || index < 0 || index >= len(f.Observations) {
		return
	}
	heard := &f.Observations[index]
	if heard.At == wire.MalformedObs {
		return
	}
	o.in.cfg.Metrics.quarantine()
	if o.in.cfg.Quarantine == nil || o.who.Organisation.IsZero() || !o.dev.maySetAside() {
		return
	}
	o.in.cfg.Quarantine.Put(schema.Quarantined{
		Source: o.who.Source, BootID: f.BootID, Seq: f.Seq, Index: uint16(index),
		At: heard.At, ArrivedAt: schema.EventTimeOf(o.now), Reason: reason.String(),
		Transmitter: heard.Transmitter, RSSI: heard.RSSI,
	})
}

// maySetAside takes one row's place; the caller holds mu.
func (d *device) maySetAside() bool {
	if d.aside == nil {
		b := newBucket(asideRate, asideBurst)
		d.aside = &b
	}
	now := time.Now()
	if d.aside.owed(now, 1) > 0 {
		return false
	}
	d.aside.take(now, 1)
	return true
}
