package http

import (
	"embed"
	"net/http"
)

// docsFiles is the human page of the OpenAPI document.
//
//go:embed docs
var docsFiles embed.FS

// docs serves the page; its parts are files of their own, since the content policy
// allows no script within a page.
func (s *Server) docs(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "" {
		name = "index.html"
	}
	body, err := docsFiles.ReadFile("docs/" + name)
	if err != nil {
		s.noSuchRoute(w, r)
		return
	}
	w.Header().Set("Content-Type", mediaTypeOf(name))
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // the peer has gone: nobody is left to tell
}
