// Package blehttp holds the REST routes of the product "BLE tracking", below
// /api/v1/client/ble: plans with receivers and zones, and tags.
package blehttp
