// Package rig is what packages crash and soak measure with: a server in a process of
// its own ([Server]), a simulated site that streams to it ([Life]), the record of all
// that was sent ([Record]), and the visits of a server that nobody disturbs.
//
// Functions take fresh values each and keep no state. What may be used concurrently
// is said at each type.
package rig
