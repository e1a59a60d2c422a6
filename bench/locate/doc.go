// Package locate measures how well the engine finds tags, on recordings whose
// truth is known and on the simulated site.
//
// What is measured is the engine's own code in its default configuration: the
// receivers' frames go through a [device.State] each, a [plan.State] and a
// [tag.State], the machines inside the actors, which exchange the messages that
// they would in a server. Nothing here estimates, smooths or decides anything.
//
// # Epochs
//
// An epoch is a whole second k of the recording. Every receiver sends one frame a
// second, of what it heard up to and including k, and nothing later has been sent,
// so the engine is causal; it
// makes at most one fix per epoch, and what it then shows is compared with the
// truth of k. Where nothing new was heard, the last fix is what is shown, and it
// is scored as such. Not scored are epochs without truth, before the first fix,
// and while the engine says that the tag is absent. A truth between two rows is
// on the straight line between them, if they are at most 3 s apart.
//
// Every track begins with an engine that knows nothing but the plan, and which of
// its receivers is dead. What it learns about the receivers it learns on the way. A track
// called "snapshots" is no walk: each of its instants is a track of its own, its
// only epoch is the instant, and its truth must have a row at just that instant.
//
// The truth is opened after the engine has finished, except where zones are learned
// from other tracks' truth ([Config.LeaveOneRunOut]). The survey is the engine's only
// when [Config] has it.
//
// # Zones
//
// The zone shown is that of the engine's fix. Time in zones is that of the visits,
// which begin and end with the fence's delays. The true zone is
// zone_truth.csv's, or without it the zone in which the true position lies.
// Outside all zones counts as a zone of its own.
//
// See [Figures] for what is computed of all this. The functions keep no state and
// may be called concurrently; the time per fix is then worth less.
package locate
