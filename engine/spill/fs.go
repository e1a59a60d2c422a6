package spill

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is the spool's directory. Names have no folders. What Write was given is
// safe after Sync, what happened to names after SyncDir; before that a power
// loss may undo any of it.
type FS interface {
	Create(name string) (File, error) // the name must be new
	Open(name string) (io.ReadCloser, error)
	Rename(from, to string) error
	Remove(name string) error
	ReadDir() ([]Entry, error)
	SyncDir() error
}

// File is one that is being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// Entry is a file of the directory.
type Entry struct {
	Name string
	Size int64
}

// Dir is the directory of that path. It is made when it is first written to.
type Dir string

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }

// Create implements [FS].
func (d Dir) Create(name string) (File, error) {
	f, err := d.create(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(string(d), 0o700); err == nil {
			f, err = d.create(name)
		}
	}
	if err != nil {
		return nil, err // a nil *os.File would be a File that is not nil
	}
	return f, nil
}

func (d Dir) create(name string) (*os.File, error) {
	return os.OpenFile(d.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Open implements [FS].
func (d Dir) Open(name string) (io.ReadCloser, error) { return os.Open(d.path(name)) }

// Rename implements [FS].
func (d Dir) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

// Remove implements [FS].
func (d Dir) Remove(name string) error { return os.Remove(d.path(name)) }

// ReadDir implements [FS]; a directory that is not there is empty.
func (d Dir) ReadDir() ([]Entry, error) {
	list, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []Entry
	for _, e := range list {
		info, infoErr := e.Info()
		if infoErr == nil && info.Mode().IsRegular() {
			out = append(out, Entry{Name: e.Name(), Size: info.Size()})
		}
	}
	return out, err
}

// SyncDir implements [FS].
func (d Dir) SyncDir() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
