//go:build console

package web

import "embed"

//go:embed all:dist
var files embed.FS

const filesRoot = "dist"

// Built says whether the real console is inside.
const Built = true
