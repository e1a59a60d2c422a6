// Package locate measures how well the engine finds tags, on recordings whose
// truth is known and on the simulated site.
//
// What is measured is the engine's own code in its default configuration: each
// track is given to a [tag.State], the machine inside a tag's actor, as the
// messages that the receivers' frames become. Nothing here estimates, smooths or
// decides anything, with one exception that checks itself: see radius.go.
//
// # Epochs
//
// An epoch is a whole second k of the recording. What every receiver heard up to
// and including k has been delivered, nothing later, so the engine is causal; it
// makes at most one fix per epoch, and what it then shows is compared with the
// truth of k. Where nothing new was heard, the last fix is what is shown, and it
// is scored as such. Not scored are epochs without truth, before the first fix,
// and while the engine says that the tag is absent. A truth between two rows is
// on the straight line between them, if they are at most 3 s apart.
//
// Every track begins with an engine that knows nothing but the plan. A track
// called "snapshots" is no walk: each of its instants is a track of its own, its
// only epoch is the instant, and its truth must have a row at just that instant.
//
// The truth is opened after the engine has finished; the survey never.
//
// # Zones
//
// The zone shown is that of the engine's fix: confirmed by its fence, and so some
// seconds after the position. A snapshot cannot be confirmed by a second fix, so
// its zone is the one in which its position lies. The true zone is
// zone_truth.csv's, or without it the zone in which the true position lies.
// Outside all zones counts as a zone of its own.
//
// See [Figures] for what is computed of all this. The functions keep no state and
// may be called concurrently; the time per fix is then worth less.
package locate
