package soak

import (
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mybeacon/schema"
)

func TestSlopeOfTheLongestLife(t *testing.T) {
	var m memory
	if !math.IsNaN(m.slope()) || !math.IsNaN(m.largest()) {
		t.Error("nothing was sampled, and there is a slope")
	}
	start := time.Unix(0, 0)
	for i := range 300 { // a short, steep life
		m.add(1, start.Add(time.Duration(i)*time.Second), 1000+10*i)
	}
	for i := range 3600 { // from 100 to 102 MB in an hour, after the caches have filled
		kib := 100_000 + 2000*i/3600
		if i < 60 {
			kib = 1000
		}
		m.add(2, start.Add(time.Duration(1000+i)*time.Second), kib)
	}
	if s := m.slope(); math.Abs(s-2) > 0.05 {
		t.Errorf("the slope is %.3f %%/h, want 2", s)
	}
	if mb := m.largest(); math.Abs(mb-1.024*102) > 0.1 {
		t.Errorf("the largest is %.1f MB", mb)
	}
}

func TestRecentKeepsTheLast(t *testing.T) {
	r := newRecent(2)
	heard := make([]schema.Observation, 1)
	for seq := range uint64(10) {
		heard[0].RSSI = schema.CentiDBm(seq)
		r.add(1, schema.Frame{Seq: seq + 1, Observations: heard})
	}
	list := r.of(1)
	if len(list) != keptFrames || len(r.of(0)) != 0 {
		t.Fatalf("%d and %d frames are kept", len(list), len(r.of(0)))
	}
	for i, f := range list {
		if want := uint64(10 - keptFrames + i); f.Seq != want+1 || f.Observations[0].RSSI != schema.CentiDBm(want) {
			t.Errorf("frame %d is %+v", i, f)
		}
	}
}

func TestMutantsDiffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	n := &neighbour{boot: "b"}
	good := encoded(n.frame(schema.EventTime(1e12), 3))
	same := 0
	for range 500 {
		bad := mutated(rng, good)
		if len(bad) == 0 {
			t.Fatal("a mutant is empty")
		}
		if string(bad) == string(good) {
			same++
		}
	}
	if same > 10 {
		t.Errorf("%d of 500 mutants are the message itself", same)
	}
}

// A cut is a reset at the other side, and is forgotten; a slow socket notices that it
// was closed.
func TestWiresAreCut(t *testing.T) {
	began, ended := make(chan struct{}, 3), make(chan error, 3)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			ended <- err
			return
		}
		began <- struct{}{}
		_, err = conn.Read(make([]byte, 1))
		ended <- err
	}))
	defer web.Close()
	w := newWires()
	client := &http.Client{Transport: w.transport()}
	for range 3 {
		go func() {
			answer, err := client.Get(web.URL) //nolint:noctx // it ends with the cut
			if err == nil {
				_ = answer.Body.Close()
			}
		}()
		<-began
	}
	if n := w.cut(); n != 3 {
		t.Errorf("%d connections were cut, want 3", n)
	}
	for range 3 {
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("the other side saw %v, want a reset", err)
		}
	}
	if n := w.cut(); n != 0 {
		t.Errorf("%d connections were still known", n)
	}
}

func TestDribbleEndsWithTheOtherSide(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // a test is over
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Read(make([]byte, 10))
			_ = conn.Close()
		}
	}()
	conn, err := dialSlow(t.Context(), "http://"+listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if !dribble(t.Context(), conn) {
		t.Error("the end was not seen")
	}
}
