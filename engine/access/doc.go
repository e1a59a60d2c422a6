// Package access decides who may do what: one pure function, [Decide], over who acts,
// what is to be done, and to what. Nothing else in the program decides about rights;
// routes, sockets, streams and tunnels all ask here, at every request and again while
// they are open. Where many objects are asked about at once - lists -, the store asks
// the same of its rows, by the scope that a [Principal] gives.
//
// # Growing
//
// A product's routes use the actions of the customer's table: what is looked at is
// View, what leaves the system Export, what is drawn EditPlans. An action that fits
// none of them becomes a constant here and a word in the rows of the roles that have
// it, and changes when it can change something: the table stays one page that can be
// read, and TestMatrix stays the whole of it.
//
// An object that inherits its rights names in Location what it inherits them from: a
// zone its plan's location, a device the one it is at. Where a product's own parents
// carry rights - an album in a collection - its store finds the nearest one that is
// granted or refused, as it finds a plan's location today, and puts its id there:
// ids are unique over all kinds, so a [Grant] may name any of them.
package access
