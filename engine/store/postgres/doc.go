// Package postgres is the relational store of the core: organisations,
// accounts, API tokens, sessions, locations and devices, and the doors a
// product's own store goes through ([DB.Read], [DB.Change], [Where], [Collect]).
//
// Every call that reads or changes customers' objects takes a [Scope], which
// says for which organisation the caller acts. The zero Scope sees nothing, so
// a forgotten one shows up as "not found" and never as somebody else's data.
// The few calls without one run before the caller is known (an account by its
// e-mail, a device by its token).
//
// Errors are [schema.Error] values where the caller can do something about
// them: NotFound (also for another organisation's object), Conflict, Invalid,
// and Unavailable while the server cannot be reached.
//
// A [DB] is safe for concurrent use. Every change announces itself on the
// channel [ChangedChannel] in its own transaction; [DB.Watch] hears the
// announcements of this process and of others.
package postgres
