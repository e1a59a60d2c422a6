package http

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// maxConsoleFile bounds one file of the console: it is held in memory.
const maxConsoleFile = 16 << 20

// console serves the built single-page application from memory, compressed once
// at the start. Files below assets/ carry a hash in their name and never change;
// a path without an extension is a page of the application and gets index.html.
type console struct {
	files map[string]*consoleFile
}

type consoleFile struct {
	mediaType string
	etag      string
	plain     []byte
	encoded   map[string][]byte // by content coding, only where smaller
}

func newConsole(built fs.FS) (*console, error) {
	c := &console{files: map[string]*consoleFile{}}
	err := fs.WalkDir(built, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".br" || path.Ext(name) == ".gz" {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxConsoleFile {
			return fmt.Errorf("%s has %d bytes, more than %d", name, info.Size(), maxConsoleFile)
		}
		c.files[name], err = readConsoleFile(built, name)
		return err
	})
	if err == nil && c.files["index.html"] == nil {
		err = fmt.Errorf("there is no index.html; build the console first")
	}
	return c, err
}

func readConsoleFile(built fs.FS, name string) (*consoleFile, error) {
	plain, err := fs.ReadFile(built, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	f := &consoleFile{mediaType: mediaTypeOf(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`, plain: plain, encoded: map[string][]byte{}}
	if br, err := fs.ReadFile(built, name+".br"); err == nil {
		f.encoded["br"] = br
	}
	if packed, err := pack(plain); err != nil {
		return nil, err
	} else if len(packed) < len(plain)*9/10 {
		f.encoded["gzip"] = packed
	}
	return f, nil
}

// mediaTypeOf knows the types of a web build itself: the system's table may be
// missing or odd, and nosniff makes a wrong type fatal.
func mediaTypeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".wasm":
		return "application/wasm"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func pack(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, "this address takes GET"))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	f := c.files[name]
	if f == nil && path.Ext(name) != "" {
		writeProblem(w, r, newProblem(http.StatusNotFound, "there is nothing at this address"))
		return
	}
	if f == nil {
		name = "index.html"
		f = c.files[name]
	}
	f.serve(w, r, strings.HasPrefix(name, "assets/"))
}

func (f *consoleFile) serve(w http.ResponseWriter, r *http.Request, immutable bool) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	coding, body := f.choose(r.Header.Get("Accept-Encoding"))
	h.Set("ETag", f.etag)
	if coding != "" {
		// Another representation needs another strong tag.
		h.Set("ETag", strings.TrimSuffix(f.etag, `"`)+"-"+coding+`"`)
		h.Set("Content-Encoding", coding)
	}
	if strings.Contains(r.Header.Get("If-None-Match"), h.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the peer has gone: nobody is left to tell
	}
}

// choose returns the best coding that the client takes.
func (f *consoleFile) choose(accept string) (string, []byte) {
	for _, coding := range []string{"br", "gzip"} {
		if body, ok := f.encoded[coding]; ok && choose(accept, coding) != "" {
			return coding, body
		}
	}
	return "", f.plain
}
