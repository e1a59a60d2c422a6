package ingest

import "mybeacon/schema"

// Heard says when a tag was heard last before the server started: what is much older
// than that is late also when it is the first to come.
func (in *Ingest) Heard(tag schema.TagID, at schema.EventTime) {
	in.lateness.observe(tag, at, at)
}
