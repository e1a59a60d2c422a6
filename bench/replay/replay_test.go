package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/bench/recording"
	"mybeacon/bench/replay"
	"mybeacon/schema"
)

// wire is a network and a server that acknowledges every frame after a while,
// out of order between devices, as the real one does.
type wire struct {
	player  *replay.Player
	latency func() time.Duration

	mu       sync.Mutex
	frames   [][]schema.Frame
	sentAt   []time.Time // wall clock of each frame, in the order of sending
	order    []schema.EventTime
	open     map[schema.EventTime]int // unacknowledged frames by second
	ahead    time.Duration            // the most a frame was ahead of the oldest open one
	refused  error
	deaf     bool // takes frames and acknowledges none
	inFlight sync.WaitGroup
}

type uplink struct {
	*wire
	device int
}

func (u uplink) Send(ctx context.Context, f schema.Frame) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for second := range u.open {
		u.ahead = max(u.ahead, f.SentAt.Sub(second))
	}
	u.frames[u.device] = append(u.frames[u.device], f)
	u.order = append(u.order, f.SentAt)
	u.sentAt = append(u.sentAt, time.Now())
	u.open[f.SentAt]++
	if u.deaf {
		return ctx.Err()
	}
	u.inFlight.Go(func() {
		<-time.After(u.latency())
		u.mu.Lock()
		if u.open[f.SentAt]--; u.open[f.SentAt] == 0 {
			delete(u.open, f.SentAt)
		}
		u.mu.Unlock()
		u.player.Acked(u.device, f.BootID, f.Seq, f.Seq)
	})
	return ctx.Err()
}

func (u uplink) Err() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.refused
}

func transmitters(site *recording.Site) []schema.Transmitter {
	out := make([]schema.Transmitter, len(site.Tracks))
	for i := range out {
		out[i] = schema.IBeacon([16]byte{7}, 1, uint16(i+1))
	}
	return out
}

func newWire(t testing.TB, site *recording.Site, speed float64) *wire {
	t.Helper()
	p, err := replay.NewPlayer(site, transmitters(site), speed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &wire{
		player: p, frames: make([][]schema.Frame, len(site.Receivers)), open: map[schema.EventTime]int{},
		latency: func() time.Duration { return 300 * time.Millisecond },
	}
}

func (w *wire) play(ctx context.Context) error {
	uplinks := make([]replay.Uplink, len(w.frames))
	for i := range uplinks {
		uplinks[i] = uplink{w, i}
	}
	err := w.player.Play(ctx, uplinks)
	w.inFlight.Wait()
	return err
}

func kiosk(t testing.TB) *recording.Site {
	t.Helper()
	site, err := recording.Read(os.DirFS("../recording/testdata/kiosk"))
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// check compares what was sent with the recording: every event once, in its
// second, frames numbered from 1 and dense in time.
func (w *wire) check(t *testing.T, site *recording.Site) {
	t.Helper()
	type key struct {
		at schema.EventTime
		tx schema.Transmitter
	}
	for r, frames := range w.frames {
		want, got := map[key][]schema.CentiDBm{}, map[key][]schema.CentiDBm{}
		for i, track := range site.Tracks {
			for _, e := range track.Events {
				if e.Receiver == r {
					k := key{replay.Base.Add(e.At), transmitters(site)[i]}
					want[k] = append(want[k], e.RSSI)
				}
			}
		}
		for i, f := range frames {
			if f.BootID != w.player.BootID() || f.Seq != uint64(i+1) {
				t.Fatalf("receiver %d, frame %d: boot %q, seq %d", r, i, f.BootID, f.Seq)
			}
			for _, o := range f.Observations {
				if o.At >= f.SentAt || o.At < f.SentAt.Add(-time.Second) {
					t.Fatalf("receiver %d: an observation at %d is in the frame sent at %d", r, o.At, f.SentAt)
				}
				k := key{o.At, o.Transmitter}
				got[k] = append(got[k], o.RSSI)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("receiver %d (-recorded +sent):\n%.1000s", r, diff)
		}
	}
}

func TestPlaySendsEverythingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := kiosk(t)
		w := newWire(t, site, 0)
		if err := w.play(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check(t, site)
		if len(w.open) != 0 {
			t.Error("Play returned before all was acknowledged")
		}
		if w.ahead > 4*time.Second || w.ahead < 3*time.Second {
			t.Errorf("a frame was %v ahead of the oldest unacknowledged one, want up to 4 s", w.ahead)
		}
	})
}

func TestPlayAgainSendsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := kiosk(t)
		first, second := newWire(t, site, 0), newWire(t, site, 3)
		second.latency = func() time.Duration { return rand.N(2 * time.Second) }
		for _, w := range []*wire{first, second} {
			if err := w.play(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(first.frames, second.frames); diff != "" {
			t.Errorf("the second replay sent other frames:\n%.1000s", diff)
		}
	})
}

func TestPlayKeepsItsSpeed(t *testing.T) {
	for _, speed := range []float64{0.5, 1, 10} {
		synctest.Test(t, func(t *testing.T) {
			site := kiosk(t)
			w := newWire(t, site, speed)
			w.latency = func() time.Duration { return time.Millisecond }
			start := time.Now()
			if err := w.play(t.Context()); err != nil {
				t.Fatal(err)
			}
			first, _ := site.Span()
			for i, sent := range w.order {
				want := time.Duration(float64(sent.Sub(replay.Base.Add(first))) / speed)
				if got := w.sentAt[i].Sub(start); got < want || got > want+50*time.Millisecond {
					t.Fatalf("speed %v: the frame of %d went after %v, want %v", speed, sent, got, want)
				}
			}
		})
	}
}

// site makes a recording of two receivers from times in seconds.
func made(t testing.TB, events string) *recording.Site {
	t.Helper()
	var b strings.Builder
	b.WriteString("track,t_s,rx,rssi_dbm\n")
	for line := range strings.FieldsSeq(events) {
		fmt.Fprintf(&b, "%s,-60\n", line)
	}
	site, err := recording.Read(fstest.MapFS{
		"meta.json":     {Data: []byte(`{"name":"made","bounds_m":[0,0,1,1],"tag_height_m":1}`)},
		"receivers.csv": {Data: []byte("rx,x_m,y_m,z_m\na,0,0,1\nb,1,1,1\n")},
		"events.csv":    {Data: []byte(b.String())},
	})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// told lists when the receiver told until when it had listened, in seconds.
func (w *wire) told(receiver int) []int {
	var out []int
	for _, f := range w.frames[receiver] {
		out = append(out, int(f.SentAt.Sub(replay.Base)/time.Second))
	}
	return out
}

func TestPlayTellsSilence(t *testing.T) {
	for name, test := range map[string]struct {
		events string
		a, b   []int
	}{
		"both say every second": {"x,0.5,a x,3.2,a", []int{1, 2, 3, 4}, []int{1, 2, 3, 4}},
		"when nobody hears":     {"x,0,a x,4.9,b", []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}},
		"from a later start":    {"x,7,a x,8,a", []int{8, 9}, []int{8, 9}},
		"before the start":      {"x,-1.5,a x,0.5,b", []int{-1, 0, 1}, []int{-1, 0, 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t, made(t, test.events), 0)
			if err := w.play(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]int{test.a, test.b}, [][]int{w.told(0), w.told(1)}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// A hole of a month costs two minutes of silence, not millions of frames.
func TestPlaySkipsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, made(t, "x,0,a y,1,a x,2592000,b y,2592001,a"), 0)
		if err := w.play(t.Context()); err != nil {
			t.Fatal(err)
		}
		told := w.told(1)
		var before, after []int
		for _, s := range told {
			if s < 1000 {
				before = append(before, s)
			} else {
				after = append(after, s)
			}
		}
		if last := before[len(before)-1]; last < 60+5 || last > 125 || len(before) != last {
			t.Errorf("before the pause b told at %v, want every second for 2 min", before)
		}
		if diff := cmp.Diff([]int{2592001, 2592002}, after); diff != "" {
			t.Errorf("after the pause (-want +got):\n%s", diff)
		}
	})
}

func TestPlayGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*wire)
		kind   schema.Kind
		least  time.Duration
	}{
		"refused": {func(w *wire) { w.refused = schema.Errorf(schema.Unauthorized, "token", "refused") }, schema.Unauthorized, 20 * time.Second},
		"no acks": {func(*wire) {}, schema.Unavailable, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t, kiosk(t), 0)
			w.deaf = true
			test.change(w)
			start := time.Now()
			err := w.play(t.Context())
			if d := time.Since(start); schema.KindOf(err) != test.kind || d < test.least || d > test.least+10*time.Second {
				t.Errorf("%s: after %v: %v", name, d, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, kiosk(t), 1)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := w.play(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// Whatever the latencies, no frame overtakes an open one by more than 4 s, and
// everything arrives in the order of event time.
func TestPlayNeverRunsAhead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var events strings.Builder
		for range rapid.IntRange(1, 40).Draw(rt, "events") {
			fmt.Fprintf(&events, "%s,%d.%d,%s ", rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "track"),
				rapid.IntRange(0, 60).Draw(rt, "second"), rapid.IntRange(0, 9).Draw(rt, "tenth"), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "rx"))
		}
		latencies := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 20).Draw(rt, "latencies")
		site := made(t, events.String())
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t, site, 0)
			n := 0
			w.latency = func() time.Duration {
				w.mu.Lock()
				defer w.mu.Unlock()
				n++
				return time.Duration(latencies[n%len(latencies)]) * time.Millisecond
			}
			if err := w.play(t.Context()); err != nil {
				t.Error(err)
			}
			w.check(t, site)
			for i := range w.order[1:] {
				if w.order[i+1] < w.order[i] {
					t.Errorf("frame %d was sent out of order", i+1)
				}
			}
			if w.ahead > 4*time.Second {
				t.Errorf("a frame was %v ahead", w.ahead)
			}
		})
	})
}

func TestNewPlayerRefusesOddSpeeds(t *testing.T) {
	site := kiosk(t)
	for _, speed := range []float64{-1, nan(), inf()} {
		if _, err := replay.NewPlayer(site, transmitters(site), speed, nil); schema.KindOf(err) != schema.Invalid {
			t.Errorf("speed %v: %v", speed, err)
		}
	}
}

func nan() float64 { zero := 0.0; return zero / zero }
func inf() float64 { zero := 0.0; return 1 / zero }

func TestRunSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  replay.Config
		want string
	}{
		"no recording": {replay.Config{Dir: t.TempDir(), Server: "http://127.0.0.1:1", Token: "x"}, "meta.json: the file is missing"},
		"no server":    {replay.Config{Dir: "../recording/testdata/kiosk", Server: "http://127.0.0.1:1", Token: "x"}, "the server does not answer"},
		"no login":     {replay.Config{Dir: "../recording/testdata/kiosk", Server: "http://127.0.0.1:1"}, "give a token"},
	} {
		if _, err := replay.Run(t.Context(), test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// The form of --json is how results are measured; it must not change.
func TestResultJSON(t *testing.T) {
	text, err := json.Marshal(replay.Result{Organisation: schema.OrganisationID{1}, Location: schema.LocationID{2}, FramesSent: 3, FramesAcked: 4, ObservationsSent: 5, ObservationsAcked: 6, Seconds: 7.5})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"organisation":"01000000-0000-0000-0000-000000000000","location":"02000000-0000-0000-0000-000000000000","frames_sent":3,"frames_acked":4,"observations_sent":5,"observations_acked":6,"seconds":7.5}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestTypeOf(t *testing.T) {
	for track, want := range map[string]string{
		"robot": "asset", "walk": "person", "car_sensor_1_measurement_2": "vehicle", "snapshots": "person", "carla": "person", "": "person",
	} {
		if got := replay.TypeOf(track); got != want {
			t.Errorf("%q: %s, want %s", track, got, want)
		}
	}
}

func TestMeterIsSilentWithoutTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // nothing was written
	if replay.Meter(f) != nil {
		t.Error("a file got a progress line")
	}
}
