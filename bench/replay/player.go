package replay

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

const (
	// maxAhead is how far (event time) a frame may be sent ahead of the oldest
	// one that is unacknowledged; the server's rule of lateness is 6 s.
	maxAhead = 4 * time.Second
	// patience is how long not a single acknowledgement may come before the
	// replay gives up.
	patience = 5 * time.Minute
	// refusal is how long the server may refuse a device's token, which is new
	// and may have to reach other parts of the server first.
	refusal = 20 * time.Second
)

// Uplink carries the frames of one device; edge/client is one.
type Uplink interface {
	// Send takes a frame; it may wait for room.
	Send(context.Context, schema.Frame) error
	// Err returns why the server refuses the device, or nil.
	Err() error
}

// Player sends a recording's frames in the order and at the pace the server
// needs.
type Player struct {
	site     *recording.Site
	composer *composer
	speed    float64
	progress func(done, total time.Duration)

	mu         sync.Mutex
	pending    [][]unacked // per device, oldest first
	progressed time.Time   // when the last acknowledgement came
	changed    chan struct{}
}

type unacked struct {
	seq    uint64
	second schema.EventTime
}

// NewPlayer returns a player of the site whose tracks send as these
// transmitters. Speed is a multiple of real time, 0 as fast as acknowledged.
// Progress may be nil.
func NewPlayer(site *recording.Site, transmitters []schema.Transmitter, speed float64, progress func(done, total time.Duration)) (*Player, error) {
	if len(transmitters) != len(site.Tracks) {
		panic(fmt.Sprintf("BUG: %d transmitters for %d tracks", len(transmitters), len(site.Tracks)))
	}
	if !(speed >= 0) || math.IsInf(speed, 0) {
		return nil, schema.Errorf(schema.Invalid, "speed", "%v must be a multiple of real time such as 10, or 0 for as fast as acknowledged", speed)
	}
	return &Player{
		site: site, composer: newComposer(site, transmitters), speed: speed, progress: progress,
		pending: make([][]unacked, len(site.Receivers)), changed: make(chan struct{}, 1),
	}, nil
}

// BootID returns the boot id of all frames.
func (p *Player) BootID() string { return p.composer.boot }

// Acked notes that the server has the device's frames from…to; ranges may
// repeat. It does not block.
func (p *Player) Acked(device int, boot string, from, to uint64) {
	if boot != p.composer.boot {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.pending[device][:0]
	for _, u := range p.pending[device] {
		if u.seq < from || u.seq > to {
			kept = append(kept, u)
		}
	}
	if len(kept) == len(p.pending[device]) {
		return
	}
	p.pending[device] = kept
	p.progressed = time.Now()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Play sends all frames, uplinks[i] those of receiver i, and returns when all
// are acknowledged.
func (p *Player) Play(ctx context.Context, uplinks []Uplink) error {
	first, last := p.site.Span()
	start := time.Now()
	p.progressed = start
	for {
		second, frames, more := p.composer.next()
		if !more {
			return p.await(ctx, uplinks, math.MaxInt64)
		}
		if err := p.clock(ctx, start, second.Add(time.Second).Sub(Base.Add(first))); err != nil {
			return err
		}
		if err := p.await(ctx, uplinks, second); err != nil {
			return err
		}
		for _, out := range frames {
			if err := p.send(ctx, uplinks[out.device], out, second); err != nil {
				return fmt.Errorf("receiver %q: %w", p.site.Receivers[out.device].Name, err)
			}
		}
		if p.progress != nil {
			p.progress(second.Add(time.Second).Sub(Base.Add(first)), last-first)
		}
	}
}

// clock waits until the recording's time has come at the chosen speed.
func (p *Player) clock(ctx context.Context, start time.Time, elapsed time.Duration) error {
	if p.speed == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(start.Add(time.Duration(float64(elapsed) / p.speed))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// send notes the frame as pending before it goes, since its acknowledgement may
// come before Send returns.
func (p *Player) send(ctx context.Context, uplink Uplink, out outgoing, second schema.EventTime) error {
	p.mu.Lock()
	p.pending[out.device] = append(p.pending[out.device], unacked{out.frame.Seq, second})
	p.mu.Unlock()
	return uplink.Send(ctx, out.frame)
}

// await waits until no unacknowledged frame is more than maxAhead older than
// the second.
func (p *Player) await(ctx context.Context, uplinks []Uplink, second schema.EventTime) error {
	check := time.NewTicker(time.Second)
	defer check.Stop()
	accepted := time.Now()
	for {
		oldest, device, quiet := p.oldest()
		if device < 0 || second != math.MaxInt64 && second.Sub(oldest) <= maxAhead {
			return nil
		}
		if quiet > patience {
			return schema.Errorf(schema.Unavailable, "", "the server acknowledged nothing for %v", patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.changed:
		case <-check.C:
			err := uplinks[device].Err()
			if err == nil {
				accepted = time.Now()
			} else if time.Since(accepted) > refusal {
				return fmt.Errorf("receiver %q: %w; if it was taken before, another replay of the site has issued new tokens: run one at a time", p.site.Receivers[device].Name, err)
			}
		}
	}
}

// oldest returns the second of the oldest unacknowledged frame and its device,
// -1 when there is none, and for how long nothing was acknowledged.
func (p *Player) oldest() (second schema.EventTime, device int, quiet time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	second, device = math.MaxInt64, -1
	for i, list := range p.pending {
		if len(list) > 0 && list[0].second < second {
			second, device = list[0].second, i
		}
	}
	return second, device, time.Since(p.progressed)
}
