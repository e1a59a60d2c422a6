// Package store keeps what people enter for BLE tracking: plans with receivers,
// zones and what is known of their radio, and tags. It checks what only the
// database can check - that objects belong together and to the caller's
// organisation -; what a value may be is checked by package ble, through which
// everybody else goes.
//
// A change of a plan, its receivers or its zones bumps the plan's version in the
// same transaction and so locks the plan: changes of one plan happen one after
// another. A change of surveys, reference tags or zone examples bumps the plan's
// radio likewise and leaves its version alone. A [Store] is safe for concurrent
// use.
package store
