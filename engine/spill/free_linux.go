package spill

import (
	"os"
	"path/filepath"
	"syscall"
)

// Free returns the bytes that are left to this program on the disk that holds
// the directory, or will.
func (d Dir) Free() (int64, error) {
	dir := filepath.Clean(string(d))
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(dir, &st)
		if err == nil {
			return int64(st.Bavail) * st.Bsize, nil
		}
		parent := filepath.Dir(dir)
		if !os.IsNotExist(err) || parent == dir {
			return 0, os.NewSyscallError("statfs", err)
		}
		dir = parent
	}
}
