package http

import (
	"time"

	"mybeacon/engine/module"
	"mybeacon/schema"
)

// Devices tells products which devices are connected.
type Devices interface {
	// Online reports whether a device is online and when it was last heard of, zero
	// when not since this server started.
	Online(schema.DeviceID) (bool, time.Time)
}

// Product is a module together with its routes: all that a server needs to know of a
// product.
type Product struct {
	module.Module
	Routes func(*Server, Devices)
}
