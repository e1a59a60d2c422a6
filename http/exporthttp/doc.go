// Package exporthttp has the routes of exports: what can be exported, the history of
// what was, and files that jobs make. Lists that answer with a file at once are their
// products' own; see the shell's Downloadable.
package exporthttp
