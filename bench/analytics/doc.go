// Package analytics measures how fast questions about the past are answered, by asking
// the ready questions of package engine/modules/ble/analytics about a site that package
// bench/seed made.
package analytics
