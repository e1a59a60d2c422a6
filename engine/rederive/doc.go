// Package rederive keeps what is derived true to what was heard: it works late data
// into the past, and takes the tags up again after a restart.
//
// # Late data
//
// An observation that is older than its tag's watermark allows is stored with late
// set and moves nothing; so is the first word of a tag that seemed absent, if it shows
// that it was not. A [Job] finds such rows, lets their tags live through that
// time again with all that is stored now (package rerun), compares with the fixes and
// visits that are stored, writes what differs with a higher rev and takes back what
// is not so any more. Nothing of it is live: no map, no occupancy, no alert.
//
// A stretch of the past is worked in from its first late observation up to where the
// tag is absent, or to where what is found and what is stored have been the same for
// [Config.Agree]: from there on the late data make no difference. The tag lives from
// [Config.Reach] earlier on, with what storage says of it then, so that its track has
// settled when the comparison begins. If the stretch reaches up to the present, what
// is certain is written and the rest is tried again later; an open visit that began
// at another time than was thought is amended in the live tag.
//
// The observations themselves and the table rederivations are the job's memory: rows
// that arrived after the newest entry of their tag are to be done. A crash at any
// point leaves some of it to be done again, which changes nothing twice.
//
// The past is placed with the plan as it is drawn now, and with the offsets that
// were in force then: what was learned stays learned.
//
// # Restart
//
// [Resume] lets each tag that was heard lately live again through the end of what is
// stored and gives its state to the actors. What was stored as observations but not
// as fixes and visits, because the process died between, is written then. Nothing is
// emitted at or before a tag's newest stored fix, except for visits that storage
// lacks.
//
// What a start cannot do it owes: the tags for which its patience was too short, and
// observations that wait in the spool and are stored later. The stretch of their
// arrivals is noted in the table rederivations, as a row without a tag, and the job
// treats what arrived then as late.
//
// # Concurrency
//
// One goroutine runs a Job; [Job.Wake] and [Job.Await] may be called from any.
package rederive
