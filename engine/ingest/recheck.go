package ingest

import (
	"context"
	"time"

	"mybeacon/schema"
)

const (
	// recheckAsks bounds the questions to the store in one round: the directory
	// knows nearly all devices itself.
	recheckAsks    = 32
	recheckTimeout = 2 * time.Second
)

// recheck compares the tokens of open streams with the directory until the
// ingest stops. The directory follows announced changes, so that a token that is
// taken back ends its stream within seconds, and nobody is asked meanwhile.
func (in *Ingest) recheck() {
	tick := time.NewTicker(in.cfg.RecheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-in.ctx.Done():
			return
		case <-tick.C:
			in.recheckStreams()
		}
	}
}

func (in *Ingest) recheckStreams() {
	asks := recheckAsks
	for _, s := range in.streams() {
		who, known := in.cfg.Directory.Device(s.dev.id)
		if known {
			s.noteConfig(who.ConfigVersion)
		}
		if known && who.Admits(s.hash, time.Now()) || asks == 0 {
			continue
		}
		// Taken back, or so new that the directory does not know it yet.
		asks--
		s.ask()
	}
}

// streams returns the streams that are open.
func (in *Ingest) streams() []*Session {
	in.mu.Lock()
	devices := make([]*device, 0, len(in.devices))
	for _, dev := range in.devices {
		devices = append(devices, dev)
	}
	in.mu.Unlock()
	list := make([]*Session, 0, len(devices))
	for _, dev := range devices {
		dev.mu.Lock()
		if dev.stream != nil {
			list = append(list, dev.stream)
		}
		dev.mu.Unlock()
	}
	return list
}

// ask authenticates anew and ends the session when the token was taken back; an
// unreachable store is no reason to end a connection.
func (s *Session) ask() {
	ctx, cancel := context.WithTimeout(s.in.ctx, recheckTimeout)
	defer cancel()
	who, err := s.in.authenticate(ctx, s.token)
	if err == nil && who.Device != s.dev.id {
		err = schema.Errorf(schema.Unauthorized, "token", "the token belongs to another device now")
	}
	if schema.KindOf(err) == schema.Unauthorized {
		s.end(err)
		return
	}
	if err == nil {
		s.mu.Lock()
		s.who = who
		s.mu.Unlock()
	}
}
