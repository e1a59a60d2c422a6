//go:build !console

package web

import "embed"

//go:embed fallback/index.html
var files embed.FS

const filesRoot = "fallback"

// Built says whether the real console is inside.
const Built = false
