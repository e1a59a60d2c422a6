// Package audit says what is written down of who did what: the entries of the audit
// log, who they are by, and how their chains are verified. The entries of a change
// are stored in the change's own transaction, by package engine/store/postgres.
package audit
