// Package nearby knows in memory who is heard: when each registered tag was heard
// last, what it says of its battery, from which addresses it advertises, and which
// transmitters are about that nobody has registered.
//
// It is fed with a sample of the admitted frames ([Ears.Notice], at most one a second
// of each device). Nothing of it is needed to place tags; what is worth keeping is
// asked for ([Ears.News]) and stored by the module in batches.
//
// # Strangers
//
// Of each organisation at most [MaxStrangers] unregistered identities are remembered
// by location, those that were heard least recently go first; new ones are taken at a
// bounded rate. One UUID, and all bare addresses together, fill half of the places at
// most, so that neither a sensor that hides readings in major and minor nor the phones
// of passers-by push out the beacons. Such a sensor shows itself: its identities
// appear and are never heard again. They are told as one ([Stranger.Group]).
//
// # Two transmitters of one identity
//
// A transmitter may change its address every quarter of an hour, so two addresses one
// after the other are one transmitter. Two whose times overlap by more than clocks
// differ are two transmitters ([Tag.SharedAt]).
//
// # Concurrency
//
// All methods are safe for concurrent use. Notice never blocks: when [Ears.Run] cannot
// follow, frames are passed over and counted.
package nearby
