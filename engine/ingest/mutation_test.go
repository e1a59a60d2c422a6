package ingest_test

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// mutations is how many messages are spoiled; MYBEACON_MUTATIONS=10000000 is the
// full size, some minutes.
func mutations(t *testing.T) int {
	t.Helper()
	text := os.Getenv("MYBEACON_MUTATIONS")
	if text == "" {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// good messages of every form that a device may send.
func goodMessages(t *testing.T) (binary, text, packed []byte) {
	t.Helper()
	enc := wire.NewEncoder()
	var frames [][]byte
	for seq := uint64(1); seq <= 3; seq++ {
		frames = append(frames, enc.AppendFrame(nil, frame("boot-1", seq, 4)))
	}
	text = []byte(`{"frames":[{"boot_id":"j","seq":1,"sent_at":"2026-03-01T11:59:00Z","observations":[` +
		`{"at":"2026-03-01T11:59:00Z","tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":2},"rssi_dbm":-61.5},{"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":-70}]}]}`)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return wire.AppendFramesMessage(nil, frames...), text, out.Bytes()
}

// spoil changes some bytes, cuts, repeats or inserts.
func spoil(rng *rand.Rand, good []byte) []byte {
	b := bytes.Clone(good)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			return b
		}
		at := rng.IntN(len(b))
		switch rng.IntN(6) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b[at] = byte(rng.Uint32())
		case 2:
			b = b[:at]
		case 3:
			b = append(b[:at:at], b[min(at+1+rng.IntN(8), len(b)):]...)
		case 4:
			end := min(at+rng.IntN(64), len(b))
			b = append(b[:end:end], b[at:]...)
		default:
			b = append(b[:at:at], append([]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, b[at:]...)...)
		}
	}
	return b
}

// R13, scaled: spoilt messages break nothing, take no time, and whatever is not
// admitted is refused with a reason that is counted.
func TestSpoiltMessages(t *testing.T) {
	w := newWorld()
	in, reg := start(t, w, func(c *ingest.Config) {
		c.Credit, c.MaxInFlight = ingest.Credit{Frames: 1 << 40, Bytes: 1, Observations: 1 << 40}, 1<<40
		c.Quarantine = nil
	})
	dec := wire.NewDecoder(wire.DefaultLimits(), device(1).Device)
	binary, text, packed := goodMessages(t)
	forms := []func([]byte) (wire.Message, error){
		func(b []byte) (wire.Message, error) {
			inbound, err := dec.Message(b)
			return inbound.Frames, err
		},
		dec.JSON,
		func(b []byte) (wire.Message, error) {
			body, err := wire.ReadBody(bytes.NewReader(b), true, wire.DefaultLimits())
			if err != nil {
				return wire.Message{}, err
			}
			return dec.JSON(body)
		},
	}
	seeds := [][]byte{binary, text, packed}
	rng := rand.New(rand.NewPCG(1, 2))
	var s *ingest.Session
	var slowest time.Duration
	refused, frames := 0, 0
	for i := range mutations(t) {
		if i%1000 == 0 { // what is remembered is bounded, what waits is ours to let go
			w.store(nil)
			w.set(func() { w.live, w.journal, w.rows = nil, nil, map[row]schema.Heard{} })
			s = stream(t, in)
		}
		b := spoil(rng, seeds[i%len(seeds)])
		began := time.Now()
		msg, err := forms[i%len(forms)](b)
		if err != nil {
			if _, ok := s.Refused(err); !ok {
				t.Fatalf("%x: %v is no refusal", b, err)
			}
			refused++
			continue
		}
		frames += len(msg.Frames) + len(msg.Refused)
		for _, r := range s.Offer(msg) {
			if r.Reason.String() == "unknown" || r.Index < wire.WholeFrame {
				t.Fatalf("%x: refused with %+v", b, r)
			}
			refused++
		}
		if s.Cause() != nil { // too many boots at once
			w.store(nil)
			s = stream(t, in)
		}
		slowest = max(slowest, time.Since(began))
	}
	if counted := value(t, reg, "mybeacon_bad_frames_total"); counted != float64(refused) || refused == 0 {
		t.Errorf("%v refusals counted of %d", counted, refused)
	}
	if counted := value(t, reg, "mybeacon_ingest_frames_total"); counted != float64(frames) || frames == 0 {
		t.Errorf("%v frames counted of %d", counted, frames)
	}
	t.Logf("%d frames, %d refusals, the slowest message took %v", frames, refused, slowest)
	if slowest > time.Second { // 100 ms of this thread alone; the machine may be busy
		t.Errorf("a message took %v", slowest)
	}
}
