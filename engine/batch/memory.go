package batch

import (
	"math/bits"
	"sync"
	"unsafe"
)

// Sizes of the pieces that are used again: powers of two from 64 bytes, which is
// how Arrow aligns, to 64 MiB.
const (
	minPiece = 6
	maxPiece = 26
)

// recycler is Arrow memory that is used again when a record has been released: a
// stream of batches of the same size needs no new memory. It holds no more than
// the batches that were in use at one time, and the garbage collector takes what
// rests. It is safe for concurrent use.
type recycler struct {
	pieces [maxPiece + 1]sync.Pool // of *byte, by the logarithm of the size
}

// class returns the logarithm of the piece that holds size bytes.
func class(size int) int { return max(minPiece, bits.Len(uint(max(size, 1)-1))) }

// Allocate implements memory.Allocator. The bytes are not cleared.
func (r *recycler) Allocate(size int) []byte {
	c := class(size)
	if c > maxPiece {
		return make([]byte, size)
	}
	if p, ok := r.pieces[c].Get().(*byte); ok {
		return unsafe.Slice(p, 1<<c)[:size]
	}
	return make([]byte, size, 1<<c)
}

// Reallocate implements memory.Allocator.
func (r *recycler) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	grown := r.Allocate(size)
	copy(grown, b)
	r.Free(b)
	return grown
}

// Free implements memory.Allocator.
func (r *recycler) Free(b []byte) {
	c := class(cap(b))
	if cap(b) != 1<<c || c > maxPiece {
		return // not one of the pieces
	}
	r.pieces[c].Put(unsafe.SliceData(b[:1]))
}
