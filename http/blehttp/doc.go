// Package blehttp holds the REST routes of the product "BLE tracking", below
// /api/v1/client/ble: plans with receivers, zones and what is
// known of their radio (surveys, reference tags, zone examples), and tags.
package blehttp
