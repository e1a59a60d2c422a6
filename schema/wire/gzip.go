package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// ReadBody reads a request's body within the limits, unpacking it when gzipped
// is set. The error is an [*Error] when the sender is to blame, otherwise the
// reader's own.
func ReadBody(r io.Reader, gzipped bool, l Limits) ([]byte, error) {
	in := &counter{r: io.LimitReader(r, int64(l.MessageBytes)+1)}
	if gzipped {
		return unpack(in, l)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	if len(b) > l.MessageBytes {
		return nil, refuse(MessageTooLarge, nil)
	}
	return b, nil
}

// unpackChunk is how far output may run ahead of the check of its bounds.
const unpackChunk = 32 << 10

func unpack(in *counter, l Limits) ([]byte, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, blame(in, l, err)
	}
	var out bytes.Buffer
	for {
		n, err := io.CopyN(&out, z, unpackChunk)
		switch {
		case in.n > l.MessageBytes || out.Len() > l.UnpackedBytes:
			return nil, refuse(MessageTooLarge, nil)
		case n > 0 && out.Len() > unpackChunk && out.Len() > l.UnpackRatio*in.n:
			// The reader's own look-ahead (4 KiB) counts as consumed, to the
			// benefit of small bodies.
			return nil, refuse(CompressionBomb, nil)
		case errors.Is(err, io.EOF):
			return out.Bytes(), nil
		case err != nil:
			return nil, blame(in, l, err)
		}
	}
}

// blame tells damaged input from a connection that broke.
func blame(in *counter, l Limits, err error) error {
	switch {
	case in.err != nil:
		return in.err
	case in.n > l.MessageBytes:
		return refuse(MessageTooLarge, nil)
	default:
		return refuse(MessageMalformed, err)
	}
}

// counter counts what was read and keeps the reader's error apart from the
// unpacker's.
type counter struct {
	r   io.Reader
	n   int
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
