// Package ble is the product "BLE tracking": plans of a location with the
// receivers that hang there and the zones drawn on them, and tags.
//
// [Module] is its front: it checks what people enter, keeps it in
// engine/modules/ble/store, and publishes the whole as one module.World. A
// change made here is published before the call returns, so that a frame sent
// after the answer already finds its tag; a change made by another process is
// heard from the database and published within moments. When publishing fails
// the change stands and publishing is tried again.
//
// Methods that read or change objects work between Start and Stop and are safe
// for concurrent use.
package ble
