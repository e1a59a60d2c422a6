// Package access decides who may do what: one pure function, [Decide], over who acts,
// what is to be done, and to what. Nothing else in the program decides about rights;
// routes, sockets, streams and tunnels all ask here, at every request and again while
// they are open.
package access
