// Package node wires a whole server: stores, modules, actors, columns, sockets,
// console. It is the only package that may import everything.
//
// A [Node] is made by [New] and lives for one [Node.Run]; several can run in one
// process. Run starts the parts in the order of the data's way, stops them in
// the reverse order and in two stages: first nothing new is taken, then what was
// taken is finished, at the latest after [Config.StopTimeout].
package node
