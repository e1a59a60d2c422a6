// Package http is the shell of the web side: one server with its middlewares,
// the sessions and tokens by which callers are known, problem documents, paging,
// the OpenAPI document, and the built console. The routes of the core and of
// the products live in the packages below it and register themselves with
// [Route]; the sockets bring their own handlers through [Server.Handle].
//
// What every request passes, outermost first: request id and access log,
// recovery from panics, security headers, refusal of ambiguous paths, deadlines,
// protection against cross-origin writes, the router. A route registered with
// [Route] then authenticates the caller and applies its [Rule] before it reads
// the body; there is no route without a rule, public ones say [Public].
//
// Routes are registered before [Server.Serve]; afterwards the Server is safe
// for concurrent use. [Server.Shutdown] stops in two stages: no new requests and
// sockets told to leave, then, when the caller's context ends, everything is cut.
package http
