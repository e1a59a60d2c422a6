//go:build race

package export_test

// many is how many rows show that memory does not grow: the race detector makes each
// fifteen times slower.
const many = 300_000
