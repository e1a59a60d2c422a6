package spill_test

import (
	"bytes"
	"cmp"

	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"mybeacon/engine/spill"
)

// disk is a directory in memory that writes down every operation, so that the
// state after a crash at any point can be made from it.
type disk struct {
	mu    sync.Mutex
	files map[string]*inode
	ops   []op
	fault func(op) error // what an operation answers instead of being done
	lies  bool           // Sync and SyncDir do nothing and say that they did
}

// inode is a file's content.
type inode struct {
	id      int
	content []byte
}

// op is one operation that was done.
type op struct {
	kind     opKind
	name, to string
	inode    int
	data     []byte
}

type opKind string

const (
	opCreate  opKind = "create"
	opWrite   opKind = "write"
	opSync    opKind = "sync"
	opRename  opKind = "rename"
	opRemove  opKind = "remove"
	opSyncDir opKind = "sync directory"
	opRead    opKind = "read" // never written down
)

func newDisk() *disk { return &disk{files: map[string]*inode{}} }

// do performs an operation under the lock, or fails it.
func (d *disk) do(o op, perform func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		if err := d.fault(o); err != nil {
			return err
		}
	}
	if err := perform(); err != nil {
		return err
	}
	if o.kind != opRead && !(d.lies && (o.kind == opSync || o.kind == opSyncDir)) {
		d.ops = append(d.ops, o)
	}
	return nil
}

// point returns how many operations were done.
func (d *disk) point() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ops)
}

func (d *disk) Create(name string) (spill.File, error) {
	d.mu.Lock()
	id := len(d.ops)
	d.mu.Unlock()
	node := &inode{id: id}
	err := d.do(op{kind: opCreate, name: name, inode: id}, func() error {
		if d.files[name] != nil {
			return fs.ErrExist
		}
		d.files[name] = node
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &handle{d, node}, nil
}

func (d *disk) Open(name string) (io.ReadCloser, error) {
	var content []byte
	err := d.do(op{kind: opRead, name: name}, func() error {
		node := d.files[name]
		if node == nil {
			return fs.ErrNotExist
		}
		content = bytes.Clone(node.content)
		return nil
	})
	return io.NopCloser(bytes.NewReader(content)), err
}

func (d *disk) Rename(from, to string) error {
	return d.do(op{kind: opRename, name: from, to: to}, func() error {
		if d.files[from] == nil {
			return fs.ErrNotExist
		}
		d.files[to] = d.files[from]
		delete(d.files, from)
		return nil
	})
}

func (d *disk) Remove(name string) error {
	return d.do(op{kind: opRemove, name: name}, func() error {
		if d.files[name] == nil {
			return fs.ErrNotExist
		}
		delete(d.files, name)
		return nil
	})
}

func (d *disk) ReadDir() (list []spill.Entry, err error) {
	err = d.do(op{kind: opRead}, func() error {
		for name, node := range d.files {
			list = append(list, spill.Entry{Name: name, Size: int64(len(node.content))})
		}
		return nil
	})
	slices.SortFunc(list, func(a, b spill.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}

func (d *disk) SyncDir() error { return d.do(op{kind: opSyncDir}, func() error { return nil }) }

type handle struct {
	disk *disk
	node *inode
}

func (h *handle) Write(p []byte) (int, error) {
	err := h.disk.do(op{kind: opWrite, inode: h.node.id, data: bytes.Clone(p)}, func() error {
		h.node.content = append(h.node.content, p...)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (h *handle) Sync() error {
	return h.disk.do(op{kind: opSync, inode: h.node.id}, func() error { return nil })
}

func (h *handle) Close() error { return nil }

// crash is what a power loss leaves of what was not synced.
type crash struct {
	name  string
	data  func(unsynced int) int // how many bytes of a file's unsynced tail are there
	named func() bool            // whether a change of a name that was not synced is there
}

func crashes() []crash {
	all, none := func(n int) int { return n }, func(int) int { return 0 }
	list := []crash{
		{"the program is killed", all, func() bool { return true }},
		{"nothing that was not synced is there", none, func() bool { return false }},
		{"names are there and contents are not", none, func() bool { return true }},
		{"contents are there and names are not", all, func() bool { return false }},
	}
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 7))
		list = append(list, crash{
			fmt.Sprintf("torn with seed %d", seed),
			func(n int) int { return rng.IntN(n + 1) },
			func() bool { return rng.IntN(2) == 0 },
		})
	}
	return list
}

// crashed returns the disk as a crash after the first n operations leaves it.
func crashed(ops []op, n int, c crash) *disk {
	type state struct{ content, synced []byte }
	inodes := map[int]*state{}
	now, durable := map[string]int{}, map[string]int{}
	var pending []op
	for _, o := range ops[:n] {
		switch o.kind {
		case opCreate:
			inodes[o.inode] = &state{}
			change(now, o)
			pending = append(pending, o)
		case opWrite:
			inodes[o.inode].content = append(inodes[o.inode].content, o.data...)
		case opSync:
			inodes[o.inode].synced = bytes.Clone(inodes[o.inode].content)
		case opRename, opRemove:
			o.inode = now[o.name]
			change(now, o)
			pending = append(pending, o)
		case opSyncDir:
			durable, pending = maps.Clone(now), nil
		}
	}
	for _, o := range pending {
		if c.named() {
			change(durable, o)
		}
	}
	left := newDisk()
	for name, id := range durable {
		s := inodes[id]
		kept := len(s.synced) + c.data(len(s.content)-len(s.synced))
		left.files[name] = &inode{id: -1 - id, content: bytes.Clone(s.content[:kept])}
	}
	return left
}

// change does an operation on names; one whose file is not there under its old
// name puts it there under the new one, as a journal would.
func change(names map[string]int, o op) {
	switch o.kind {
	case opCreate:
		names[o.name] = o.inode
	case opRename:
		delete(names, o.name)
		names[o.to] = o.inode
	case opRemove:
		delete(names, o.name)
	}
}
