// Package files keeps what people upload - pictures of plans, photos - in a
// directory of the server, each under the SHA-256 of its content and apart by
// organisation.
//
// What is kept never changes: other content has another name. Who keeps a file
// remembers its [Digest] in his own table; a file that nobody remembers any more
// is removed by [Dir.Sweep], which asks for those that are in use. A file that was
// kept within [Grace] is left alone, so that there is time to write its name down
// after it was kept.
//
// Equal content of two organisations is kept twice: whether a file is there
// already tells nobody what others have.
//
// A [Dir] is safe for concurrent use by the goroutines of one process, which has
// the directory for itself.
package files
