// Package directory is the engine's view of what people entered: which device a
// token belongs to, where its receiver hangs, whose transmitter was heard, what
// a plan looks like and what things are called.
//
// The core's store knows the devices, each module publishes its own
// [module.World]; the directory merges both into one immutable snapshot that the
// hot path reads without locks. A change in the console is seen as soon as the
// module publishes, a change by another process when PostgreSQL's notification
// arrives, and both at the latest after [Config.Refresh]. New tags, which come by
// the thousand, extend the snapshot instead of replacing it.
//
// All methods are safe for concurrent use. Answers may be one snapshot old;
// they are never a mixture of two.
package directory
