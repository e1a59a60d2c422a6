package http

import (
	"bytes"
	"compress/gzip"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// minPacked is the size below which compressing an answer saves no packet.
const minPacked = 1 << 10

// packer compresses answers. It is safe for concurrent use.
type packer struct {
	zstd *zstd.Encoder
	gzip sync.Pool // of *gzip.Writer
}

func newPacker() (*packer, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	p := &packer{zstd: encoder}
	p.gzip.New = func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return w
	}
	return p, nil
}

// pack replaces the body by its compressed form where the client takes one, and
// says so in the headers. A tag then names that form.
func (p *packer) pack(accept string, h *held) {
	if h.body.Len() == 0 || h.header.Get("Content-Encoding") != "" || !packable(h.header.Get("Content-Type")) {
		return
	}
	h.header.Add("Vary", "Accept-Encoding")
	coding := choose(accept, "zstd", "gzip")
	if h.body.Len() < minPacked || coding == "" || h.header.Get("Set-Cookie") != "" {
		return
	}
	packed := p.encode(coding, h.body.Bytes())
	if len(packed) >= h.body.Len() {
		return
	}
	h.body.Reset()
	h.body.Write(packed)
	h.header.Set("Content-Encoding", coding)
	h.header.Del("Content-Length")
	if tag := h.header.Get("ETag"); strings.HasSuffix(tag, `"`) {
		h.header.Set("ETag", strings.TrimSuffix(tag, `"`)+"-"+coding+`"`)
	}
}

func (p *packer) encode(coding string, plain []byte) []byte {
	if coding == "zstd" {
		return p.zstd.EncodeAll(plain, nil)
	}
	var packed bytes.Buffer
	w := p.gzip.Get().(*gzip.Writer)
	defer p.gzip.Put(w)
	w.Reset(&packed)
	_, _ = w.Write(plain) // into memory
	_ = w.Close()
	return packed.Bytes()
}

func packable(mediaType string) bool {
	base, _, _ := strings.Cut(mediaType, ";")
	return base == "application/json" || base == problemType || base == "text/csv" || base == "text/plain" || strings.HasSuffix(base, "+json")
}

// choose returns the first of the codings that the client lists without q=0, or "".
func choose(accept string, codings ...string) string {
	offered := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToLower(accept), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		offered[strings.TrimSpace(coding)] = strings.Trim(strings.TrimPrefix(strings.TrimSpace(q), "q="), "0.") != "" || q == ""
	}
	for _, coding := range codings {
		if offered[coding] {
			return coding
		}
	}
	return ""
}
