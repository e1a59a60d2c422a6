package columnar

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// words builds a dictionary column from values that are comparable but no text:
// a value is rendered once per record and not once per row.
type words[K comparable] struct {
	render func(K) string
	index  map[K]uint32
	keys   *array.Uint32Builder
	values *array.StringBuilder

	last      K // neighbours are often equal
	lastIndex uint32
	any       bool
}

func newWords[K comparable](mem memory.Allocator, render func(K) string) *words[K] {
	return &words[K]{render: render, index: map[K]uint32{}, keys: array.NewUint32Builder(mem), values: array.NewStringBuilder(mem)}
}

// append adds one row; the caller has reserved it in keys.
func (w *words[K]) append(v K) {
	if !w.any || v != w.last {
		i, known := w.index[v]
		if !known {
			i = uint32(len(w.index))
			w.index[v] = i
			w.values.Append(w.render(v))
		}
		w.last, w.lastIndex, w.any = v, i, true
	}
	w.keys.UnsafeAppend(w.lastIndex)
}

func (w *words[K]) newArray() arrow.Array {
	keys, values := w.keys.NewArray(), w.values.NewArray()
	defer keys.Release()
	defer values.Release()
	clear(w.index)
	w.any = false
	return array.NewDictionaryArray(wordType(), keys, values)
}

func (w *words[K]) release() {
	w.keys.Release()
	w.values.Release()
}
