// Package actortest runs scenarios through a real [actors.System]: text files
// that say who hears whom when, and what must come of it. README.md has the
// language.
//
// [Run] is for a test per folder of scenarios; [Recorder] and [Layouts] are the
// ends of a system for tests that feed frames themselves.
//
// A scenario runs its steps in the order in which they arrive at the server and
// waits after each instant until the system has settled, so that its outcome does
// not depend on the scheduler. No time passes while it runs.
package actortest
