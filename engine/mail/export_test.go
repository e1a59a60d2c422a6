package mail

// Distant lets a test treat a server of this machine as one of another, where
// encryption is a must.
func (s *Sender) Distant() { s.Server.security = mustStart }
