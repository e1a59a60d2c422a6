// Package provision sets up a site on a running server through its REST API:
// organisation, location, plan with walls, zones, devices with their receivers,
// and tags. Simulator and replay use it; so may anybody who describes sites in
// files.
//
// It is idempotent: everything is looked for first (by name, by MAC address, by
// transmitter) and made only when it is not there, so that running it again, or
// after an interruption, ends in the same site. Zones and receivers that stand
// elsewhere than described are moved; nothing is ever deleted. Device tokens are
// shown by the server only once, therefore each run issues new ones, which
// disconnects whoever used the old.
//
// A super-admin acts inside the organisation while its site is walked through, with
// the reason in its audit log, and nowhere before and after. A Client is safe for
// concurrent use; walks of a super-admin wait for each other.
package provision
