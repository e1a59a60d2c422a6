//go:build race

package spill_test

// stride is how many cases the exhaustive tests step over. The race detector
// makes each of them fifteen times slower and finds nothing new in the next one.
const stride = 11
