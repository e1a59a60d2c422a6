package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"mybeacon/engine/ingest"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// Bounds of what waits to be written to one device.
const (
	maxRejections = 1_000 // listed; more are counted
	maxPongs      = 8     // pings without an answer; more are ignored
)

// deviceOutbox is what the reader leaves for the writer.
type deviceOutbox struct {
	signal chan struct{}
	failed chan error

	mu       sync.Mutex
	rejected []wire.Rejection
	more     uint64
	pongs    []uint64
}

func newDeviceOutbox() *deviceOutbox {
	return &deviceOutbox{signal: make(chan struct{}, 1), failed: make(chan error, 1)}
}

// fail makes the writer close the connection for the cause; the first one counts.
func (o *deviceOutbox) fail(cause error) {
	select {
	case o.failed <- cause:
	default:
	}
}

func (o *deviceOutbox) wake() {
	select {
	case o.signal <- struct{}{}:
	default:
	}
}

// reject notes the refusals that offer returns. It holds the outbox meanwhile:
// no ack of these frames can be taken before their refusals are noted, so that a
// device hears of a refusal before it forgets the frame.
func (o *deviceOutbox) reject(offer func() []wire.Rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := offer()
	room := min(maxRejections-len(o.rejected), len(list))
	o.rejected = append(o.rejected, list[:room]...)
	o.more += uint64(len(list) - room)
	if len(list) > 0 {
		o.wake()
	}
}

func (o *deviceOutbox) pong(id uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pongs) < maxPongs {
		o.pongs = append(o.pongs, id)
	}
	o.wake()
}

// take returns the messages to write now: refusals before acks.
func (o *deviceOutbox) take(acks func() []wire.BootRange, now time.Time) []*wirepb.ToDevice {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*wirepb.ToDevice
	for _, id := range o.pongs {
		out = append(out, &wirepb.ToDevice{Body: &wirepb.ToDevice_Pong{Pong: &wirepb.Pong{Id: id, NowMs: now.UnixMilli()}}})
	}
	if len(o.rejected) > 0 || o.more > 0 {
		list := &wirepb.RejectedList{Items: pbRejections(o.rejected), More: o.more}
		out = append(out, &wirepb.ToDevice{Body: &wirepb.ToDevice_Rejected{Rejected: list}})
	}
	o.pongs, o.rejected, o.more = nil, nil, 0
	if acks == nil {
		return out
	}
	for ranges := acks(); len(ranges) > 0; ranges = acks() {
		out = append(out, pbAck(ranges, now))
	}
	return out
}

func pbAck(ranges []wire.BootRange, now time.Time) *wirepb.ToDevice {
	return &wirepb.ToDevice{Body: &wirepb.ToDevice_Ack{Ack: &wirepb.Ack{Ranges: pbRanges(ranges), NowMs: now.UnixMilli()}}}
}

func pbRanges(ranges []wire.BootRange) []*wirepb.Range {
	out := make([]*wirepb.Range, len(ranges))
	for i, r := range ranges {
		out[i] = &wirepb.Range{BootId: r.BootID, From: r.From, To: r.To}
	}
	return out
}

func pbRejections(list []wire.Rejection) []*wirepb.Rejected {
	out := make([]*wirepb.Rejected, len(list))
	for i, r := range list {
		out[i] = &wirepb.Rejected{BootId: r.BootID, Seq: r.Seq, Index: int32(r.Index), Code: uint32(r.Reason), Reason: reasonText(r.Reason)}
	}
	return out
}

// reasonText is what people read beside the code.
func reasonText(r wire.Reason) string { return r.String() + ": " + r.Text() }

func (s *deviceSocket) send(ctx context.Context, m *wirepb.ToDevice) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, deviceWrite)
	defer cancel()
	return s.ws.Write(ctx, websocket.MessageBinary, b)
}

// flush writes what there is; acks too when withAcks is set.
func (s *deviceSocket) flush(ctx context.Context, withAcks bool) error {
	acks := s.session.Acks
	if !withAcks {
		acks = nil
	}
	for _, m := range s.outbox.take(acks, s.devices.cfg.Now()) {
		if err := s.send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// grant tells the device of its credit, if that is another than it was told, and
// returns what is closed when it may change again.
func (s *deviceSocket) grant(ctx context.Context) (turned <-chan struct{}, err error) {
	turned = s.session.CreditTurned()
	if credit := s.session.Credit(); credit != s.granted {
		s.granted = credit
		err = s.send(ctx, &wirepb.ToDevice{Body: &wirepb.ToDevice_Credit{Credit: pbCredit(credit)}})
	}
	return turned, err
}

func pbCredit(c ingest.Credit) *wirepb.Credit {
	return &wirepb.Credit{Frames: uint32(c.Frames), Bytes: uint32(c.Bytes)}
}

// write sends what the reader and the session leave for the device, and returns
// why the connection ends.
func (s *deviceSocket) write(ctx context.Context) error {
	heartbeat := time.NewTicker(s.devices.cfg.Heartbeat)
	defer heartbeat.Stop()
	collect := time.NewTimer(s.devices.cfg.AckEvery)
	defer collect.Stop()
	collecting := true // at once: a new stream may be owed acks
	turned, err := s.grant(ctx)
	if err == nil {
		err = s.configure(ctx)
	}
	for err == nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.session.Done():
			return s.session.Cause()
		case cause := <-s.outbox.failed:
			if errors.Is(cause, errDeviceFaults) {
				_ = s.flush(ctx, true) // the last faults are told of too
			}
			return cause
		case <-s.devices.stopping.Done():
			return s.drain(ctx)
		case <-s.outbox.signal:
			err = s.flush(ctx, false)
		case <-s.session.Updates():
			if !collecting {
				collecting = true
				collect.Reset(s.devices.cfg.AckEvery)
			}
		case <-collect.C:
			collecting = false
			err = s.flush(ctx, true)
		case <-turned:
			turned, err = s.grant(ctx)
		case <-s.session.Configs():
			err = s.configure(ctx)
		case <-heartbeat.C:
			err = s.send(ctx, pbAck(nil, s.devices.cfg.Now()))
		}
	}
	return err
}

// drain waits for what is on its way to be stored, within bounds, and tells.
func (s *deviceSocket) drain(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, deviceDrain)
	defer cancel()
	_ = s.session.Drained(limited) // what is not stored by then is sent again
	if err := s.flush(ctx, true); err != nil {
		return err
	}
	return errRestart
}
