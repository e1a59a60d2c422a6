package ingest

import "mybeacon/schema"

// Heard says when a tag was heard last before the server started, by whom, and how far
// that device had told what it heard: what is much older is late also when it is the
// first to come.
func (in *Ingest) Heard(tag schema.TagID, at schema.EventTime, by schema.DeviceID, delivered schema.EventTime) {
	e := ear{by: in.lateness.listener(by), ceiling: at}
	e.by.reach(max(at, delivered))
	in.lateness.observe(tag, at, e)
}
