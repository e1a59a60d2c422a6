package ingest

import (
	"time"

	"mybeacon/schema"
)

// noticeEvery is of how many frames of a device one is noticed: what the batteries of
// tags are and who else is about changes slowly.
const noticeEvery = time.Second

// Notices watches what is about: who is heard, registered or not, and what
// transmitters say beside their identity. Notice is called for a sample of the admitted
// frames, under the device's lock: it must neither block nor change the frame.
type Notices interface {
	Notice(Notice)
}

// Notice is an admitted frame with what its observations said beside.
type Notice struct {
	schema.FrameAdmitted
	Details  []schema.Detail // by the index in the frame as sent
	Recorded bool            // its times are those of a recording, not of when it was heard
}

// notice hands on the frame unless the device had one noticed just now.
func (o *offer) notice(sent *schema.Frame, f *schema.FrameAdmitted) {
	since := o.now.Sub(o.dev.noticed) // below zero: the clock was set back
	if o.in.cfg.Notices == nil || len(f.Observations) == 0 || since >= 0 && since < noticeEvery {
		return
	}
	o.dev.noticed = o.now
	o.in.cfg.Notices.Notice(Notice{FrameAdmitted: *f, Details: sent.Details, Recorded: o.who.Clock == ClockSource})
}
