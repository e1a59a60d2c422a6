package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"mybeacon/bench/rig"
	"mybeacon/engine/provision"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// neighbour is another organisation on the same server. Its scanners' clocks are
// compared with the server's.
type neighbour struct {
	tokens []string
	boot   string
	seq    uint64
}

const neighbourScanners = 4

func settleNeighbour(ctx context.Context, s *rig.Server) (*neighbour, error) {
	c, err := s.Login(ctx)
	if err != nil {
		return nil, err
	}
	site := provision.Site{
		Organisation: "Neighbour", Location: "Next door", KeepDays: schema.KeepForever, Clock: "device",
		Plan: provision.Plan{Name: "Shed", Bounds: schema.Rect{Max: schema.Point{X: 10, Y: 10}}, TagHeightM: 1},
		Tags: []provision.Tag{{Transmitter: neighbourTag(), Type: "asset", Name: "Barrow"}},
	}
	for i := range neighbourScanners {
		site.Receivers = append(site.Receivers, provision.Receiver{Name: fmt.Sprintf("N%d", i+1), X: float64(3 * i), Y: float64(i), Z: 2})
	}
	there, err := c.Ensure(ctx, site)
	if err != nil {
		return nil, fmt.Errorf("set up the neighbour: %w", err)
	}
	n := &neighbour{boot: "neighbour"}
	for _, d := range there.Devices {
		n.tokens = append(n.tokens, d.Token)
	}
	return n, nil
}

func neighbourTag() schema.Transmitter {
	return schema.IBeacon(schema.DeriveID[[16]byte]([]byte("mybeacon soak")), 1, 1)
}

// frame returns the neighbour's next frame, of so many observations until then.
func (n *neighbour) frame(at schema.EventTime, observations int) schema.Frame {
	n.seq++
	f := schema.Frame{BootID: n.boot, Seq: n.seq, SentAt: at}
	for i := range observations {
		f.Observations = append(f.Observations, schema.Observation{
			At: at.Add(-time.Duration(i) * time.Millisecond), Transmitter: neighbourTag(), RSSI: schema.CentiDBm(-6000 - i%2000),
		})
	}
	return f
}

func encoded(frames ...schema.Frame) []byte {
	e := wire.NewEncoder()
	var raw [][]byte
	for _, f := range frames {
		raw = append(raw, e.AppendFrame(nil, f))
	}
	return wire.AppendFrames(nil, raw...)
}

// post sends a body to the scanners' door and returns the answer's status, and how many
// refusals are in it; status 0 is no answer.
func post(ctx context.Context, server, token string, body []byte) (status, refused int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/api/v1/device/frames", bytes.NewReader(body))
	if err != nil {
		return 0, 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0
	}
	defer answer.Body.Close() // it was only read
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	var told wirepb.FramesAnswer
	if answer.StatusCode == http.StatusOK && proto.Unmarshal(text, &told) == nil {
		refused = len(told.Rejected) + int(told.RejectedMore)
	}
	return answer.StatusCode, refused
}

// statuses counts answers; safe for concurrent use.
type statuses struct {
	mu      sync.Mutex
	count   map[int]int
	refused int
}

func (s *statuses) add(status, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[int]int{}
	}
	s.count[status]++
	s.refused += refused
}

func (s *statuses) String() string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(s.count)) {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "no answer"
		}
		parts = append(parts, fmt.Sprintf("%s: %d", name, s.count[status]))
	}
	return strings.Join(parts, ", ")
}

// failed is an answer that no input may cause.
func (s *statuses) failed() bool {
	return s.count[http.StatusInternalServerError] > 0 || s.count[0] > 0
}

// noise floods the server from the neighbour's scanners.
func noise(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	quiet := b.fleet.Measure()
	if err := pause(ctx, 3*time.Second); err != nil {
		return over, "", err
	}
	before := quiet()
	flood, cancel := context.WithTimeout(ctx, b.cfg.sizes.noise)
	defer cancel()
	var answers statuses
	var wait sync.WaitGroup
	p99 := b.fleet.Measure()
	bodies := make([][][]byte, len(b.next.tokens))
	for i := range bodies {
		for range 50 {
			bodies[i] = append(bodies[i], encoded(b.next.frame(schema.EventTimeOf(time.Now()), 2000)))
		}
	}
	for i, token := range b.next.tokens {
		wait.Go(func() {
			for k := 0; flood.Err() == nil; k++ {
				if status, refused := post(flood, b.server.URL(), token, bodies[i][k%len(bodies[i])]); flood.Err() == nil {
					answers.add(status, refused)
				}
			}
		})
	}
	wait.Wait()
	return time.Now(), fmt.Sprintf("its answers %s; acknowledgements of the others: p99 %.0f ms, before %.0f ms", &answers, p99(), before), ctx.Err()
}

// clockJumps sends frames of a scanner whose clock jumps by years and back.
func clockJumps(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	var answers statuses
	const jumps = 20
	for i := range jumps {
		off := time.Duration(1+b.rng.IntN(3650)) * 24 * time.Hour
		if i%2 == 0 {
			off = -off
		}
		answers.add(post(ctx, b.server.URL(), b.next.tokens[0], encoded(b.next.frame(schema.EventTimeOf(time.Now().Add(off)), 5))))
	}
	if answers.failed() {
		err = fmt.Errorf("the answers were %s", &answers)
	}
	return time.Now(), fmt.Sprintf("%d frames up to ten years off, answers %s, %d observations refused", jumps, &answers, answers.refused), err
}

// mutants sends messages of which some bytes were changed.
func mutants(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	var answers statuses
	slowest := time.Duration(0)
	good := encoded(b.next.frame(schema.EventTimeOf(time.Now()), 30), b.next.frame(schema.EventTimeOf(time.Now()), 3))
	for range b.cfg.sizes.mutant {
		if ctx.Err() != nil || b.left() < 0 {
			break
		}
		began := time.Now()
		answers.add(post(ctx, b.server.URL(), b.next.tokens[1], mutated(b.rng, good)))
		slowest = max(slowest, time.Since(began))
	}
	if answers.failed() && ctx.Err() == nil {
		err = fmt.Errorf("the answers were %s", &answers)
	}
	return time.Now(), fmt.Sprintf("answers %s; the slowest after %.0f ms", &answers, slowest.Seconds()*1000), err
}

// mutated returns a copy in which a few bytes are changed, taken out or put in.
func mutated(rng *rand.Rand, good []byte) []byte {
	out := slices.Clone(good)
	for range 1 + rng.IntN(8) {
		i := rng.IntN(len(out))
		switch rng.IntN(5) {
		case 0:
			out = slices.Delete(out, i, min(len(out), i+1+rng.IntN(4)))
		case 1:
			out = slices.Insert(out, i, byte(rng.IntN(256)), 0xff)
		case 2:
			out = out[:i+1]
		default:
			out[i] ^= 1 << rng.IntN(8)
		}
		if len(out) == 0 {
			return []byte{0xff}
		}
	}
	return out
}
