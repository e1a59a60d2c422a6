// Package seed fills an organisation with a past: a building of three floors in which
// people work, things lie and carts drive about, day by day, as rows of fixes and
// visits like those that the engine writes.
//
// A [Life] is the building's past without any store: the same for the same seed and
// days. Its fixes are thinned by the engine's rule - a zone change, a move of more than
// max(1 m, accuracy / 2), a new half minute - and hold until the next, or for half a
// minute. A visit begins with the first fix in a zone and ends with the first that is
// not there. [Fill] makes the site in the stores, through the product's own front, and
// writes a Life into the warehouse.
//
// A Life is immutable; its days may be lived by many goroutines at once.
package seed
