//go:build !race

package spill_test

// stride is how many cases the exhaustive tests step over: none.
const stride = 1
