package wire_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

func pack(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadBody(t *testing.T) {
	noise := make([]byte, 1<<20+1)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(noise)
	// As compressible as real frames are: random digits, about 5:1.
	text := make([]byte, 9<<20)
	for i := range text {
		text[i] = '0' + noise[i%(1<<20)]%3
	}
	f := func(name string, body []byte, gzipped bool, want []byte, reason wire.Reason) {
		t.Helper()
		got, err := wire.ReadBody(bytes.NewReader(body), gzipped, wire.DefaultLimits())
		var e *wire.Error
		if reason == 0 && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if reason != 0 && (!errors.As(err, &e) || e.Reason != reason) {
			t.Errorf("%s: %v, want %v", name, err, reason)
		}
	}
	f("plain", []byte("{}"), false, []byte("{}"), 0)
	f("a megabyte", noise[1:], false, noise[1:], 0)
	f("more", noise, false, nil, wire.MessageTooLarge)
	f("gzip", pack(t, text[:100_000]), true, text[:100_000], 0)
	f("empty gzip", pack(t, nil), true, nil, 0)
	f("no gzip", text, true, nil, wire.MessageMalformed)
	f("nothing", nil, true, nil, wire.MessageMalformed)
	f("cut gzip", pack(t, text)[:50], true, nil, wire.MessageMalformed)
	f("packed noise over a megabyte", pack(t, noise), true, nil, wire.MessageTooLarge)
	f("bomb", pack(t, make([]byte, 16<<20)), true, nil, wire.CompressionBomb)
	f("long but honest", pack(t, text), true, nil, wire.MessageTooLarge)
}

func TestReadBodyPassesOnABrokenConnection(t *testing.T) {
	broken := errors.New("reset by peer")
	body := io.MultiReader(bytes.NewReader(pack(t, []byte(goodJSON))[:20]), iotest.ErrReader(broken))
	_, err := wire.ReadBody(body, true, wire.DefaultLimits())
	if !errors.Is(err, broken) || schema.KindOf(err) != schema.Internal {
		t.Errorf("got %v, want the connection's own error", err)
	}
}

// R14: a body that unpacks to a hundred times more costs neither time nor memory.
func TestBombIsCheap(t *testing.T) {
	bomb := pack(t, make([]byte, 16<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := wire.ReadBody(bytes.NewReader(bomb), true, wire.DefaultLimits()); err == nil {
		t.Fatal("bomb accepted")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("refusing the bomb allocated %d bytes", took)
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add(pack(f, []byte(goodJSON)))
	f.Add(pack(f, make([]byte, 1<<20)))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := wire.ReadBody(bytes.NewReader(b), true, wire.DefaultLimits())
		if err == nil && len(out) > 100*(len(b)+4096) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
	})
}
