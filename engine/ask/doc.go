// Package ask puts one statement of a person to the warehouse and reads the answer for
// a page: columns with types, a bounded number of rows, and for what went wrong a
// sentence that says where, instead of the warehouse's own words about itself.
//
// Who may ask, and which rows, is decided around it: the [Warehouse] is the same as for
// analysts' own clients. Everything here is stateless.
package ask
