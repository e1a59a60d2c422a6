// Package corehttp holds the REST routes that every product stands on:
// organisations, locations and devices.
package corehttp
