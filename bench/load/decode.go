package load

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strconv"
	"sync"
	"time"

	"mybeacon/engine/batch"
	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// roundObservations is about how many observations are encoded ahead: encoding is
// the scanners' work and not measured.
const roundObservations = 250_000

// decode measures socket bytes to Arrow records.
func decode(ctx context.Context, cfg Config) (f Figures, err error) {
	d, err := newDecoding(ctx, cfg)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, d.close(context.WithoutCancel(ctx))) }()
	length := time.Duration(cfg.Seconds) * time.Second
	if _, _, err := d.rounds(ctx, min(warmUp, length/3)); err != nil {
		return f, err
	}
	times := new(histogram)
	d.ledger.measure(times)
	s, n, err := d.rounds(ctx, length)
	if err != nil {
		return f, err
	}
	f = Figures{
		ObservationsPerS: s.perSecond(n), FixesPerS: math.NaN(), AllocsPerObservation: s.perEvent(n),
		AckP50MS: times.quantile(0.5), AckP99MS: times.quantile(0.99), LiveP99MS: math.NaN(), LiveP50MS: math.NaN(), LiveP99At25kMS: math.NaN(),
		HalfObservationsPerS: math.NaN(), RSSMB: peakRSS(), MeasuredS: s.took.Seconds(),
		InsertRowsPerS: math.NaN(), BareInsertRowsPerS: math.NaN(),
	}
	return f, nil
}

// decoding is the receivers' sessions and what they hand their frames to.
type decoding struct {
	crowd    *crowd
	ingest   *ingest.Ingest
	journal  *batch.Batch[schema.FrameAdmitted]
	sessions []*ingest.Session
	decoders []*wire.Decoder
	encoder  *wire.Encoder
	ledger   *ledger
	listen   sync.WaitGroup
	messages [][]message // per receiver, of one round
}

type message struct {
	bytes        []byte
	seq          uint64
	observations int
	event        schema.EventTime
}

func newDecoding(ctx context.Context, cfg Config) (_ *decoding, err error) {
	d := &decoding{
		crowd: newCrowd(cfg.Tags, cfg.Receivers, cfg.Seed, "load"), encoder: wire.NewEncoder(),
		ledger: newLedger(cfg.Receivers), messages: make([][]message, cfg.Receivers),
	}
	if d.journal, err = batch.NewObservations(batch.DefaultConfig(), batch.Discard{}); err != nil {
		return nil, err
	}
	who := newRegister(d.crowd)
	ic := ingest.DefaultConfig()
	ic.Directory, ic.Stored, ic.Actors, ic.Journal = who, discard{}, discard{}, d.journal
	if d.ingest, err = ingest.New(ic); err != nil {
		return nil, errors.Join(err, d.journal.Stop(ctx))
	}
	for i := range cfg.Receivers {
		s, err := d.ingest.Open(ctx, strconv.Itoa(i))
		if err != nil {
			return nil, errors.Join(err, d.close(ctx))
		}
		s.Attach()
		d.sessions = append(d.sessions, s)
		d.decoders = append(d.decoders, wire.NewDecoder(wire.DefaultLimits(), s.Device().Device))
		d.listen.Go(func() { d.hear(i, s) })
	}
	return d, nil
}

// hear takes the acknowledgements of one session, as a socket's writer would.
func (d *decoding) hear(i int, s *ingest.Session) {
	for {
		select {
		case <-s.Updates():
			for _, r := range s.Acks() {
				d.ledger.acked(i, r.From, r.To)
			}
		case <-s.Done():
			return
		}
	}
}

func (d *decoding) close(ctx context.Context) error {
	for _, s := range d.sessions {
		s.Close()
	}
	d.listen.Wait()
	return errors.Join(d.ingest.Stop(ctx), d.journal.Stop(ctx))
}

// rounds encodes and takes in until the takings have lasted for d, and returns the
// sum of these and how many observations there were.
func (d *decoding) rounds(ctx context.Context, length time.Duration) (sum stretch, observations int, err error) {
	for sum.took < length {
		observations += d.prepare()
		one := beginStretch()
		if err := d.take(ctx); err != nil {
			return sum, 0, err
		}
		one.end()
		sum.took += one.took
		sum.mallocs += one.mallocs
	}
	return sum, observations, nil
}

// prepare encodes a round into the buffers of the last one.
func (d *decoding) prepare() (observations int) {
	for i := range d.messages {
		d.messages[i] = d.messages[i][:0]
	}
	var raw []byte
	for observations < roundObservations {
		frames, n := d.crowd.next()
		observations += n
		for i := range frames {
			f := &frames[i]
			raw = d.encoder.AppendFrame(raw[:0], *f)
			var m message
			if k := len(d.messages[i]); k < cap(d.messages[i]) {
				m = d.messages[i][:k+1][k]
			}
			m.bytes = wire.AppendFramesMessage(m.bytes[:0], raw)
			m.seq, m.observations, m.event = f.Seq, len(f.Observations), f.SentAt
			d.messages[i] = append(d.messages[i], m)
		}
	}
	return observations
}

// take takes a round in, all processors at once, and waits until it is
// acknowledged.
func (d *decoding) take(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make(chan error, 1)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			if err := d.work(ctx, w, workers); err != nil {
				select {
				case errs <- err:
				default:
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	if err := d.journal.Flush(ctx); err != nil {
		return err
	}
	return d.ledger.await(ctx, math.MaxInt64)
}

// work takes in the messages of every n-th receiver, in the order of their times.
func (d *decoding) work(ctx context.Context, w, n int) error {
	for k := range d.messages[0] {
		for i := w; i < len(d.messages); i += n {
			m := &d.messages[i][k]
			if err := d.sessions[i].Ready(ctx); err != nil {
				return err
			}
			d.ledger.sent(i, m.seq, m.observations, m.event)
			inbound, err := d.decoders[i].Message(m.bytes)
			if err != nil {
				return err
			}
			if refused := d.sessions[i].Offer(inbound.Frames); len(refused) > 0 {
				return errors.New("a frame of the crowd was refused: " + refused[0].Reason.Text())
			}
		}
	}
	return nil
}

// discard stores nothing and follows nobody.
type discard struct{}

// StoredSeqs implements ingest.Stored.
func (discard) StoredSeqs(context.Context, schema.Source, string, schema.EventTime) ([]wire.SeqRange, error) {
	return nil, nil
}

// Frame implements ingest.Actors.
func (discard) Frame(schema.FrameAdmitted) {}

// DeviceConnected implements ingest.Actors.
func (discard) DeviceConnected(schema.Source, time.Time) {}

// DeviceDisconnected implements ingest.Actors.
func (discard) DeviceDisconnected(schema.DeviceID, time.Time) {}

// register knows the crowd's tags and receivers. It is immutable.
type register struct {
	tags    map[schema.Transmitter]schema.TagID
	devices map[schema.DeviceID]ingest.Device
	tokens  map[string]schema.DeviceID
}

func newRegister(c *crowd) *register {
	r := &register{tags: map[schema.Transmitter]schema.TagID{}, devices: map[schema.DeviceID]ingest.Device{}, tokens: map[string]schema.DeviceID{}}
	for i := range c.walkers {
		r.tags[c.walkers[i].transmitter] = schema.NewID[schema.TagID]()
	}
	source := schema.Source{
		Organisation: schema.NewID[schema.OrganisationID](), Location: schema.NewID[schema.LocationID](),
		Plan: schema.NewID[schema.PlanID](), KeepDays: schema.KeepForever,
	}
	for i := range c.receivers {
		source.Device, source.Receiver = schema.NewID[schema.DeviceID](), schema.NewID[schema.ReceiverID]()
		r.devices[source.Device] = ingest.Device{Source: source, Number: int64(i + 1), Clock: ingest.ClockSource}
		r.tokens[strconv.Itoa(i)] = source.Device
	}
	return r
}

// DeviceByToken implements ingest.Directory.
func (r *register) DeviceByToken(_ context.Context, token string) (ingest.Device, error) {
	id, known := r.tokens[token]
	if !known {
		return ingest.Device{}, schema.Errorf(schema.Unauthorized, "token", "is nobody's")
	}
	return r.devices[id], nil
}

// Device implements ingest.Directory.
func (r *register) Device(id schema.DeviceID) (ingest.Device, bool) {
	d, known := r.devices[id]
	return d, known
}

// Tag implements ingest.Directory.
func (r *register) Tag(_ schema.OrganisationID, t schema.Transmitter) (schema.TagID, bool) {
	id, known := r.tags[t]
	return id, known
}
