package schema

// Quarantined is an observation that was put aside because its time cannot be
// believed: it moves no tag and is in no count, but can be looked at.
type Quarantined struct {
	Source
	BootID      string
	Seq         uint64
	Index       uint16    // of the observation in the frame, as sent
	At          EventTime // as sent
	ArrivedAt   EventTime // server's clock
	Reason      string    // name of the wire's reason, such as "at_future"
	Transmitter Transmitter
	RSSI        CentiDBm
}
