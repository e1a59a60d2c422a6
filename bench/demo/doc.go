// Package demo keeps a simulated site alive on a server: it sets the site up
// through the REST API and streams what its receivers hear, second by second in
// real time, each as a device of its own, until the context ends.
//
// It survives restarts of the server (frames are kept and sent again, and when a
// server does not know a device any more, the site is set up anew), and running
// it again uses the objects that are there. What does not fit into an uplink's
// memory while the server is away is dropped, the newest first, and the server
// told.
package demo
