package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

const (
	deviceHello = 10 * time.Second
	deviceWrite = 10 * time.Second
	deviceDrain = 5 * time.Second
	// deviceCutoff is where the connection itself gives up reading a message. A
	// message between the limit and this is read away and refused, and what comes
	// after it is taken.
	deviceCutoff = 16 << 20
	// deviceFaults is how many unreadable messages a connection may send: more is
	// no accident.
	deviceFaults = 16
)

// Stream handles GET /api/v1/device/stream. It returns when the socket is open:
// what a request needs, above all its deep stack, is not held for as long as a
// device stays.
func (d *Devices) Stream(w http.ResponseWriter, r *http.Request) {
	token, err := deviceToken(r)
	if err == nil && !offersDeviceProtocol(r) {
		err = schema.Errorf(schema.Invalid, "Sec-WebSocket-Protocol", "must offer %s", wire.Subprotocol)
	}
	if err != nil {
		d.cfg.Refuse(w, r, err)
		return
	}
	if err := d.enter(); err != nil {
		d.cfg.Refuse(w, r, err)
		return
	}
	session, err := d.cfg.Ingest.Open(r.Context(), token)
	if err != nil {
		d.leave()
		d.cfg.Refuse(w, r, err)
		return
	}
	// A page cannot set Authorization, so no foreign page opens this socket; the
	// library still refuses an Origin that is not the host's.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		session.Close()
		d.leave()
		return // it has answered
	}
	ws.SetReadLimit(deviceCutoff)
	s := &deviceSocket{
		devices: d, ws: ws, session: session,
		decoder: wire.NewDecoder(d.cfg.Limits, session.Device().Device),
		outbox:  newDeviceOutbox(),
	}
	go s.run()
}

// run serves the socket to its end. A panic costs this device its connection and
// nobody else anything, as in a request.
func (s *deviceSocket) run() {
	defer s.devices.leave()
	defer s.session.Close()
	defer func() {
		if v := recover(); v != nil {
			s.devices.cfg.Log.Error("panic in a device's socket", "device", s.session.Device().Device, "panic", v, "stack", string(debug.Stack()))
			_ = s.ws.CloseNow()
		}
	}()
	s.serve()
}

func offersDeviceProtocol(r *http.Request) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		names := strings.Split(line, ",")
		if slices.ContainsFunc(names, func(n string) bool { return strings.TrimSpace(n) == wire.Subprotocol }) {
			return true
		}
	}
	return false
}

// deviceSocket is one connected device. One goroutine reads, another writes.
type deviceSocket struct {
	devices *Devices
	ws      *websocket.Conn
	session *ingest.Session
	decoder *wire.Decoder
	outbox  *deviceOutbox
	granted ingest.Credit // as the device was told; the writer's after hello
	buffer  []byte        // of the last message, reused
	faults  int
	heardAt time.Time // when States was told last; the reader's

	takesConfig bool  // the device asked for it
	configured  int64 // the version that it was sent last; the writer's after hello
}

// Why a socket ends, beside the causes of its session.
var (
	errDeviceSilent   = errors.New("the device said nothing for too long")
	errDeviceFaults   = errors.New("too many unreadable messages")
	errDeviceProtocol = errors.New("hello expected")
	errRestart        = errors.New("the server restarts")
)

func (s *deviceSocket) serve() {
	life, end := context.WithCancel(s.devices.cut)
	defer end()
	defer func() { _ = s.ws.CloseNow() }()
	if err := s.hello(life); err != nil {
		s.close(err)
		return
	}
	ctx, cancel := context.WithCancelCause(life)
	defer cancel(nil)
	written := make(chan struct{})
	go func() {
		defer close(written)
		err := s.write(ctx)
		s.close(err)
		// The reader may wait for credit, or for a message that will not come.
		cancel(err)
		_ = s.ws.CloseNow()
	}()
	cancel(s.read(ctx))
	<-written
}

// close tells the device why, if the connection still can.
func (s *deviceSocket) close(cause error) {
	code, reason := s.devices.closing(cause)
	if code == 0 {
		return
	}
	_ = s.ws.Close(code, reason)
}

// closing returns the close code of a cause, 0 when the connection is gone.
func (d *Devices) closing(cause error) (websocket.StatusCode, string) {
	retry := fmt.Sprintf("retry_ms=%d", d.jitter().Milliseconds())
	switch {
	case errors.Is(cause, errRestart):
		return websocket.StatusServiceRestart, retry
	case errors.Is(cause, ingest.ErrSendAgain): // a few at a time: the map need not miss them for long
		return websocket.StatusServiceRestart, fmt.Sprintf("retry_ms=%d", 200+rand.N(800))
	case errors.Is(cause, ingest.ErrDisplaced):
		return wire.CloseDisplaced, cause.Error()
	case errors.Is(cause, errDeviceSilent):
		return wire.CloseSilent, cause.Error()
	case errors.Is(cause, errDeviceFaults), errors.Is(cause, errDeviceProtocol):
		return wire.CloseProtocol, cause.Error()
	case schema.KindOf(cause) == schema.Unauthorized:
		return wire.CloseUnauthorized, "the token is not valid any more"
	case schema.KindOf(cause) == schema.Unavailable:
		return websocket.StatusTryAgainLater, retry
	default:
		return 0, ""
	}
}

// hello reads the first message, makes the socket the device's and answers.
func (s *deviceSocket) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deviceHello)
	defer cancel()
	in, err := s.receive(ctx)
	if err != nil {
		s.session.Refused(err)
		return errDeviceProtocol
	}
	hello := in.Control.GetHello()
	if hello == nil {
		s.session.Refused(&wire.Error{Reason: wire.HelloExpected})
		return errDeviceProtocol
	}
	if hello.Protocol < wire.Protocol {
		s.session.Refused(&wire.Error{Reason: wire.ProtocolUnsupported})
		return fmt.Errorf("%w with protocol %d or higher, not %d", errDeviceProtocol, wire.Protocol, hello.Protocol)
	}
	// Before the welcome: a device that has one and connects again must find that
	// the newer connection displaces this one, and not the other way round.
	s.session.Attach()
	s.takesConfig = hello.TakesConfig
	s.granted = s.session.Credit()
	return s.send(ctx, &wirepb.ToDevice{Body: &wirepb.ToDevice_Welcome{Welcome: &wirepb.Welcome{
		Protocol: wire.Protocol, NowMs: s.devices.cfg.Now().UnixMilli(), DeviceNumber: s.session.Device().Number,
		Credit: pbCredit(s.granted), TakesReports: true,
	}}})
}

// receive reads one message. An error that is a [*wire.Error] refuses the
// message, any other one ends the connection.
func (s *deviceSocket) receive(ctx context.Context) (_ wire.Inbound, err error) {
	kind, r, err := s.ws.Reader(ctx)
	if err != nil {
		return wire.Inbound{}, err
	}
	defer func() { s.countCutoff(err) }()
	limit := s.devices.cfg.Limits.MessageBytes
	s.buffer, err = appendAll(s.buffer[:0], io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return wire.Inbound{}, err
	}
	rest, err := io.Copy(io.Discard, r)
	if err != nil {
		return wire.Inbound{}, err
	}
	s.session.Received(len(s.buffer) + int(rest))
	if kind != websocket.MessageBinary {
		return wire.Inbound{}, &wire.Error{Reason: wire.MessageMalformed}
	}
	return s.decoder.Message(s.buffer)
}

// countCutoff counts a message at which the connection itself gave up.
func (s *deviceSocket) countCutoff(err error) {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		s.session.Refused(&wire.Error{Reason: wire.MessageTooLarge})
	}
}

// appendAll reads to the end, growing dst only by what came.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// keptDeviceBuffer is what a socket keeps between messages: a scanner's usual
// message fits, and 20,000 sockets stay small.
const keptDeviceBuffer = 16 << 10

// read takes messages until the connection or the session ends.
func (s *deviceSocket) read(ctx context.Context) error {
	for {
		if err := s.session.Ready(ctx); err != nil {
			return err
		}
		silence := time.AfterFunc(s.devices.cfg.Silence, func() { s.outbox.fail(errDeviceSilent) })
		in, err := s.receive(ctx)
		silence.Stop()
		var refusal *wire.Error
		s.heard(err)
		switch {
		case err != nil && !errors.As(err, &refusal):
			return err
		case s.devices.stopping.Err() != nil || s.faults > deviceFaults:
			// Not taken, not acknowledged: it will be sent again on the next
			// connection. Reading goes on until the writer has closed this one.
		case refusal != nil:
			s.refuse(refusal)
		default:
			s.handle(in)
		}
		if cap(s.buffer) > keptDeviceBuffer {
			s.buffer = nil
		}
	}
}

// refuse tells of an unreadable message, and ends the connection when there were
// too many.
func (s *deviceSocket) refuse(err *wire.Error) {
	r, _ := s.session.Refused(err)
	s.outbox.reject(func() []wire.Rejection { return []wire.Rejection{r} })
	if s.faults++; s.faults > deviceFaults {
		s.outbox.fail(errDeviceFaults)
	}
}

func (s *deviceSocket) handle(in wire.Inbound) {
	switch body := in.Control.GetBody().(type) {
	case nil:
		s.outbox.reject(func() []wire.Rejection { return s.session.Offer(in.Frames) })
	case *wirepb.ToEngine_Ping:
		s.outbox.pong(body.Ping.Id)
	case *wirepb.ToEngine_Dropped:
		s.dropped(body.Dropped)
	case *wirepb.ToEngine_Report:
		s.report(body.Report)
	case *wirepb.ToEngine_Hello:
		s.refuse(&wire.Error{Reason: wire.HelloExpected})
	}
}

func (s *deviceSocket) dropped(m *wirepb.Dropped) {
	r := wire.BootRange{BootID: m.BootId, SeqRange: wire.SeqRange{From: m.From, To: m.To}}
	if reason := s.session.Drop(r, m.Reason); reason != 0 {
		s.outbox.reject(func() []wire.Rejection {
			return []wire.Rejection{{Index: wire.WholeFrame, Reason: reason}}
		})
		return
	}
	s.devices.cfg.Log.Debug("device dropped frames", "device", s.session.Device().Device,
		"boot_id", m.BootId, "from", m.From, "to", m.To, "reason", fmt.Sprintf("%.100q", m.Reason))
}
