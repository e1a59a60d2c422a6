// Package web holds the built console. Built with the tag "console" it embeds
// web/dist, which `make web` produces; without the tag a Go build needs no
// Node.js and serves one page that says how to get the console.
//
// The package keeps no state: the file systems it returns are read-only and
// safe for concurrent use.
package web
