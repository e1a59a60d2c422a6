// Package sqlhttp is the warehouse door: analysts reach the warehouse with the
// clients of ClickHouse's HTTP interface, read-only and as one organisation, whose
// id never comes from the statement.
//
// The door says who calls and for which organisation, bounds how many statements
// run at once, writes each into the audit log and carries answers as they come; what
// a statement may read is decided below it, by [Warehouse]. A [Door] is safe for
// concurrent use.
package sqlhttp
