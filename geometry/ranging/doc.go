// Package ranging relates distance and received power: the log-distance path
// loss model, its inverse, and the heavy-tailed noise around it.
//
// The model is the usual one-slope law for radio indoors (T. S. Rappaport,
// Wireless Communications: Principles and Practice, 2nd ed., section 4.9.1):
//
//	RSSI(d) = level − 10·n·log10(d / 1 m) + noise
//
// where level is the power expected at one metre (iBeacon calls it measured
// power) and n the path loss exponent: 2 in free space, 1.6…1.8 along corridors,
// 2.5…4 through walls.
//
// Positions are estimated from differences of power, in decibels, and not from
// distances: a distance derived from one RSSI has a multiplicative error (6 dB
// are a factor of two at n = 2), so least squares on distances weighs the
// farthest and worst receivers most. [Model.Distance] exists for people, for
// messages such as "about 4 m away", and for tests.
//
// Everything here is a pure function of its arguments and safe for concurrent
// use.
package ranging
