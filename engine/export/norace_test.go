//go:build !race

package export_test

// many is how many rows show that memory does not grow.
const many = 5_000_000
