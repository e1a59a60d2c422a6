package spill_test

import (
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"mybeacon/engine/spill"
)

// Whatever lies in the directory, a spool starts, ships what is whole beside it
// and ends.
func FuzzForeignFile(f *testing.F) {
	d := newDisk()
	s := open(f, config(d, &warehouse{fail: away}))
	keep(f, s, 1, true)
	closeSpool(f, s)
	for name, node := range d.files {
		f.Add(name, node.content)
		f.Add(name, node.content[:len(node.content)/2])
		f.Add(name+".damaged", node.content)
		f.Add(name+".tmp", node.content)
	}
	f.Add("observations.00000000000000000007.1.1.00000000.arrows", []byte{})
	f.Add("observations.99999999999999999999.1.1.00000000.arrows", []byte("ARROW1"))
	f.Add("group.00000000000000000007.00000000.json", []byte(`{}`))
	f.Add("group.00000000000000000007.00000000.json.stored", []byte(`{}`))
	f.Add("../secret", []byte("x"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		d, w := newDisk(), &warehouse{}
		s := open(t, config(d, &warehouse{fail: away}))
		keep(t, s, 5, false)
		closeSpool(t, s)
		if d.files[name] == nil {
			d.files[name] = &inode{content: content}
		}
		s = open(t, config(d, w))
		drain(t, s)
		closeSpool(t, s)
		if !slices.Contains(w.all(), 5) {
			t.Errorf("frame 5 is lost beside %q", name)
		}
	})
}

// Whatever a group's list says, its files are stored.
func FuzzGroupList(f *testing.F) {
	f.Add([]byte(`{"token":"observations-x","files":["A","B"]}`))
	f.Add([]byte(`{"token":"observations-x","files":["A"]}`))
	f.Add([]byte(`{"token":"observations-x","files":["A","A","C"]}`))
	f.Add([]byte(`{"token":"","files":[]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, w := newDisk(), &warehouse{}
		s := open(t, config(d, &warehouse{fail: away}))
		keep(t, s, 1, true)
		keep(t, s, 2, true)
		closeSpool(t, s)
		for i, name := range names(t, d) {
			content = replaceAll(content, string(rune('A'+i)), name)
		}
		list := fmt.Sprintf("group.%020d.%08x.json", 1, crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
		d.files[list] = &inode{content: content}
		s = open(t, config(d, w))
		drain(t, s)
		closeSpool(t, s)
		if got := w.all(); !slices.Contains(got, 1) || !slices.Contains(got, 2) {
			t.Errorf("stored are %v", got)
		}
		if _, err := d.ReadDir(); err != nil {
			t.Error(err)
		}
	})
}

func replaceAll(content []byte, old, with string) []byte {
	var out []byte
	for _, b := range content {
		if string(b) == old {
			out = append(out, with...)
			continue
		}
		out = append(out, b)
	}
	return out
}

var _ spill.FS = (*disk)(nil)
