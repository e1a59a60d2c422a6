package chhost

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// inbox holds the data of INSERTs under way, one file each, in a directory that
// is swept at start. The engine reads data from files because data inside the
// statement's text is cut short, depending on its bytes.
type inbox struct {
	dir    string
	most   int64
	serial atomic.Uint64
}

// put writes the data to a file and returns its path; remove deletes it.
// The file is not synced: until the engine has written its own part, the insert is not acknowledged.
func (b *inbox) put(data io.Reader) (path string, remove func(), err error) {
	path = filepath.Join(b.dir, strconv.FormatUint(b.serial.Add(1), 10)+".data")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", nil, fmt.Errorf("store the data of an insert: %w", err)
	}
	remove = func() { os.Remove(path) }
	n, err := io.Copy(f, io.LimitReader(data, b.most+1))
	if err != nil {
		err = bodyError(err)
	} else if n > b.most {
		err = refuse(codeTooLarge, "the data of an insert is limited to %d bytes", b.most)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}
