// Package jobs does work that must not be forgotten: what a change asks for is stored
// with it, in one transaction, and done after the commit by whichever server process
// comes first, again and again until it is done or given up.
//
// It is a thin layer over river, whose tables live in a schema of their own in
// PostgreSQL. A job says what kind it is of and holds ids; what it needs to know is
// read when it runs, so no name, mail or secret is in its arguments. A kind is done at
// least once: a process that dies between doing a job and noting it does it twice.
//
// While PostgreSQL is away nothing is done and nothing is lost; [Jobs.Run] goes on when
// it is back. All methods are safe for concurrent use, except of [Register], which is
// called before Run.
package jobs
