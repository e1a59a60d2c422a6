package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"mybeacon/edge/client"
	"mybeacon/engine/provision"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// FleetConfig says where a fleet's receivers send to.
type FleetConfig struct {
	Server  string
	Devices []provision.Device
	BootID  string // of all frames
	Log     *slog.Logger
	HTTP    *http.Client // dials; nil: one with the system's settings
}

// Fleet is the uplinks of a site's receivers. It remembers which frames the server
// has acknowledged. One goroutine at a time may Send, one may Await or Drain, the rest
// is safe for concurrent use.
type Fleet struct {
	uplinks []*client.Client
	ledger  *ledger
}

// Dial connects all receivers. They connect anew, soon, whenever the server goes
// away. End it with Close.
func Dial(ctx context.Context, cfg FleetConfig) (*Fleet, error) {
	f := &Fleet{ledger: newLedger(len(cfg.Devices))}
	for i, d := range cfg.Devices {
		c, err := client.Dial(ctx, client.Config{
			URL: cfg.Server, Token: d.Token, BootID: cfg.BootID, Agent: "mybeacon bench", Log: cfg.Log,
			MinBackoff: 50 * time.Millisecond, MaxBackoff: 500 * time.Millisecond,
			HTTPClient: cfg.HTTP,
			OnAck:      func(_ string, from, to uint64) { f.ledger.acked(i, from, to) },
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect device %d: %w", d.Number, err), f.Close())
		}
		f.uplinks = append(f.uplinks, c)
	}
	return f, nil
}

// Send hands over a frame of one receiver. The frame's numbers must rise from 1.
func (f *Fleet) Send(ctx context.Context, receiver int, frame schema.Frame) error {
	f.ledger.sent(receiver, frame.Seq, len(frame.Observations), frame.SentAt)
	if err := f.uplinks[receiver].Send(ctx, frame); err != nil {
		return fmt.Errorf("send frame %d of receiver %d: %w", frame.Seq, receiver+1, err)
	}
	return nil
}

// Await waits until every frame that was sent (SentAt) before the event time is
// acknowledged. The error is of kind Unavailable when the server acknowledged
// nothing for minutes.
func (f *Fleet) Await(ctx context.Context, before schema.EventTime) error {
	return f.ledger.await(ctx, before)
}

// Drain waits until everything is acknowledged.
func (f *Fleet) Drain(ctx context.Context) error { return f.ledger.await(ctx, math.MaxInt64) }

// Measure counts the times of acknowledgements from now on, until the function that
// it returns is called: that gives their 99th percentile in ms, NaN of none.
func (f *Fleet) Measure() (p99MS func() float64) {
	times := new(histogram)
	f.ledger.measure(times)
	return func() float64 {
		f.ledger.measure(nil)
		return times.quantile(0.99)
	}
}

// Acked returns which frames of the receiver are acknowledged.
func (f *Fleet) Acked(receiver int) []wire.SeqRange { return f.ledger.ackedSet(receiver) }

// Rejected returns how many observations the server refused.
func (f *Fleet) Rejected() int {
	n := 0
	for _, c := range f.uplinks {
		n += c.Stats().ObservationsRejected
	}
	return n
}

// Connects returns how often the uplinks connected so far, all together.
func (f *Fleet) Connects() int {
	n := 0
	for _, c := range f.uplinks {
		n += c.Stats().Connects
	}
	return n
}

// Close ends the connections.
func (f *Fleet) Close() error {
	var errs []error
	for _, c := range f.uplinks {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
