package web

import (
	"fmt"
	"io/fs"
)

// FS returns the console's files, rooted where index.html lies. File names
// below assets/ carry a digest of their content, so they may be cached for
// ever; index.html may not.
func FS() fs.FS {
	root, err := fs.Sub(files, filesRoot)
	if err != nil {
		panic(fmt.Sprintf("BUG: embedded console has no folder %s: %v", filesRoot, err))
	}
	return root
}
