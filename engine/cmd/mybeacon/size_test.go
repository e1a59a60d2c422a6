package main

import (
	"testing"
)

func TestByteSize(t *testing.T) {
	f := func(text string, want byteSize) {
		t.Helper()
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	f("8GiB", 8<<30)
	f("500 MiB", 500<<20)
	f("1024", 1024)
	f("0", 0)
	f("1TiB", 1<<40)
	for _, text := range []string{"", "GiB", "-1", "8GB", "1.5GiB", "9000000000GiB", "8388608TiB"} {
		var b byteSize
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %d", text, b)
		}
	}
}
