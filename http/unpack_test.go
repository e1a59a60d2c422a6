package http_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func unpack(t *testing.T, coding string, packed []byte) []byte {
	t.Helper()
	var r io.Reader
	var err error
	if coding == "zstd" {
		r, err = zstd.NewReader(bytes.NewReader(packed))
	} else {
		r, err = gzip.NewReader(bytes.NewReader(packed))
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
