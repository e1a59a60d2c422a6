// Package ble is the product "BLE tracking": plans of a location with the
// receivers that hang there, the zones and no-go areas drawn on them and what is
// known of their radio, and tags.
//
// [Module] is its front: it checks what people enter, keeps it in
// engine/modules/ble/store, and publishes the whole as one module.World. A
// change made here is published before the call returns, so that a frame sent
// after the answer already finds its tag; a change made by another process is
// heard from the database and published within moments. When publishing fails
// the change stands and publishing is tried again.
//
// # Radio
//
// Three things tell the engine more about a plan's radio than where receivers
// hang. A survey is what they heard at places that somebody walked to. A
// reference tag hangs at a known point, and what the warehouse has of it is
// measured every few minutes ([Module.MeasureReferences]). A zone example is what
// they heard while a tag was known to be in a zone, taken from the warehouse too.
// They grow large, so they are read again only when they changed.
//
// A receiver that is moved keeps its readings: whether it was moved or only drawn
// in a wrong place nobody but the caller knows. After a real move the survey
// should be deleted and made again; means of reference tags follow in a day, or at
// once when the tag is hung up anew.
//
// Methods that read or change objects work between Start and Stop and are safe
// for concurrent use.
package ble
