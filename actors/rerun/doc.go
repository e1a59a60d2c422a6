// Package rerun lets one tag live again through what was stored of it: the same
// pure state as the live tag's (package tag), fed second by second, without
// mailboxes and without waiting.
//
// What is stored is whole: nothing is still on its way, so each second is fixed as
// soon as it has been fed, which is what the live tag does once every receiver has
// spoken. What the devices and the plan do live, to tell when that is, is not
// needed then. Two things take its place: the caller feeds seconds in order, each
// with all that was heard in it; and it says of each device up to when it was
// listening, so that silence is told from an outage.
//
// Given the same observations a [Run] finds the fixes, visits and absences that the
// live system finds, as long as nothing reached that too late for its second.
//
// # Concurrency
//
// A Run belongs to one goroutine. Several may share plans.
package rerun
