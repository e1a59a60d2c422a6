// Package results makes the page of results about positions, positioning.md in this
// folder, and its plots: every figure of ours on it is measured anew, by package
// bench/locate, on recordings that are not part of this repository. The peers' figures
// are quoted.
//
// [Make] belongs to one goroutine at a time: it measures times too.
package results
