package locate_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
	"pgregory.net/rapid"

	"mybeacon/geometry/locate"
)

func mustNew(t testing.TB, site locate.Site) locate.Locator {
	t.Helper()
	loc, err := locate.New(site, locate.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// still feeds a tag that lies at p for so many seconds and returns the last fix.
func still(t testing.TB, track locate.Track, r *radio, p r2.Point, seconds int) locate.Estimate {
	t.Helper()
	var last locate.Estimate
	for i := range seconds {
		est, ok := track.Update(time.Duration(i)*time.Second, r.hear(p))
		if !ok {
			t.Fatalf("no fix in second %d", i)
		}
		last = est
	}
	return last
}

func newRadio(seed uint64, site locate.Site) *radio {
	return &radio{rng: rand.New(rand.NewPCG(seed, 0)), site: site, level: -62, noise: 3}
}

// With little noise the estimate is near the truth everywhere on the plan, and
// the tag's level, of which nothing was known, is found on the way.
func TestFindsTagAndItsLevel(t *testing.T) {
	site := hall(12, 9, 8)
	for _, level := range []float64{-80, -62, -45} {
		for _, p := range []r2.Point{{X: 6, Y: 4.5}, {X: 2, Y: 2}, {X: 10.5, Y: 7}, {X: 1, Y: 8}} {
			r := newRadio(1, site)
			r.level, r.noise = level, 1.5
			est := still(t, mustNew(t, site).NewTrack(), r, p, 20)
			if d := est.Pos.Sub(p).Norm(); d > 1 {
				t.Errorf("tag of %g dBm at %v was put %.2f m away", level, p, d)
			}
			if math.Abs(est.LevelDBm-level) > 3 {
				t.Errorf("tag of %g dBm at %v was taken for %.1f dBm", level, p, est.LevelDBm)
			}
			if est.Receivers != 8 {
				t.Errorf("%d receivers took part, 8 heard", est.Receivers)
			}
		}
	}
}

// The heights of receivers count: a tag under one of them is near it.
func TestHeightCounts(t *testing.T) {
	site := hall(10, 10, 4)
	for i := range site.Receivers {
		site.Receivers[i].Z = 5
	}
	under := site.Receivers[0]
	r := newRadio(1, site)
	r.noise = 1
	est := still(t, mustNew(t, site).NewTrack(), r, r2.Point{X: under.X, Y: under.Y}, 20)
	if d := est.Pos.Sub(r2.Point{X: under.X, Y: under.Y}).Norm(); d > 1 {
		t.Errorf("a tag under a receiver was put %.2f m beside it", d)
	}
	if math.Abs(est.LevelDBm-r.level) > 3 {
		t.Errorf("a level of %g dBm was taken for %.1f", r.level, est.LevelDBm)
	}
}

// Fewer receivers must not be surer. With one the blot is as wide as the plan.
func TestAccuracyIsHonestWithFewReceivers(t *testing.T) {
	site := hall(20, 12, 6)
	p := r2.Point{X: 5, Y: 4}
	accuracy := func(heard int) float64 {
		r := newRadio(7, site)
		est, ok := mustNew(t, site).NewTrack().Update(0, r.hear(p)[:heard])
		if !ok {
			t.Fatalf("nothing is said with %d receivers", heard)
		}
		if !site.Bounds.ContainsPoint(est.Pos) {
			t.Errorf("with %d receivers the estimate %v is outside the plan", heard, est.Pos)
		}
		if est.AccuracyM >= est.Accuracy95M {
			t.Errorf("with %d receivers 68 %% are within %.2f m and 95 %% within %.2f m", heard, est.AccuracyM, est.Accuracy95M)
		}
		return est.AccuracyM
	}
	one, two, six := accuracy(1), accuracy(2), accuracy(6)
	if one < 4 {
		t.Errorf("with one receiver the accuracy is %.2f m on a plan of 20 by 12 m", one)
	}
	if six > 0.8*one || six > 0.8*two {
		t.Errorf("accuracy with 1, 2, 6 receivers: %.2f, %.2f, %.2f m; six must be surer", one, two, six)
	}
}

// What a track learned of its tag's level lets one receiver say more than
// nothing later: louder is nearer.
func TestOneReceiverAfterTheLevelIsKnown(t *testing.T) {
	site := hall(20, 12, 6)
	distance := func(rssi float64) float64 {
		track := mustNew(t, site).NewTrack()
		still(t, track, newRadio(3, site), r2.Point{X: 10, Y: 6}, 30)
		var est locate.Estimate
		for i := range 25 {
			est, _ = track.Update(time.Duration(30+i)*time.Second, []locate.Sample{{Receiver: 0, RSSIdBm: rssi}})
		}
		return est.Pos.Sub(r2.Point{X: site.Receivers[0].X, Y: site.Receivers[0].Y}).Norm()
	}
	near, far := distance(-66), distance(-84)
	if near > 2.5 || far < near+2 {
		t.Errorf("a loud receiver is %.1f m away, a faint one %.1f m", near, far)
	}
}

// One receiver behind a metal cabinet, 25 dB too weak, must not drag the fix
// far: taken at its word it is 18 times as distant as it is.
func TestOneShadowedReceiver(t *testing.T) {
	site := hall(12, 9, 8)
	p := r2.Point{X: 4, Y: 4}
	for shadowed := range site.Receivers {
		r := newRadio(5, site)
		r.bias = make([]float64, 8)
		r.bias[shadowed] = -25
		est := still(t, mustNew(t, site).NewTrack(), r, p, 15)
		if d := est.Pos.Sub(p).Norm(); d > 3 {
			t.Errorf("receiver %d shadowed: %.2f m off", shadowed, d)
		}
	}
}

func TestSaysNothingWithoutUsableSamples(t *testing.T) {
	track := mustNew(t, hall(10, 10, 4)).NewTrack()
	for name, samples := range map[string][]locate.Sample{
		"none":                nil,
		"unknown receiver":    {{Receiver: 4, RSSIdBm: -60}, {Receiver: -1, RSSIdBm: -60}},
		"no number":           {{RSSIdBm: math.NaN()}, {RSSIdBm: math.Inf(-1)}},
		"not available (127)": {{RSSIdBm: 127}},
		"too old":             {{RSSIdBm: -60, Age: time.Minute}},
	} {
		if est, ok := track.Update(0, samples); ok {
			t.Errorf("%s: got %+v", name, est)
		}
	}
	good := locate.Sample{Receiver: 1, RSSIdBm: -60, Age: -time.Second}
	est, ok := track.Update(0, []locate.Sample{{Receiver: 99, RSSIdBm: -40}, good})
	if !ok || est.Receivers != 1 {
		t.Errorf("one good sample among bad: %+v, %t", est, ok)
	}
}

// A fix follows a tag that walks, and comes back from a wrong belief within
// seconds when the tag was carried off unheard.
func TestFollowsAndRecovers(t *testing.T) {
	site := hall(30, 10, 10)
	r := newRadio(9, site)
	track := mustNew(t, site).NewTrack()
	worst := 0.0
	for i := range 25 {
		p := r2.Point{X: 2 + float64(i), Y: 5}
		if est, _ := track.Update(time.Duration(i)*time.Second, r.hear(p)); i > 3 {
			worst = math.Max(worst, est.Pos.Sub(p).Norm())
		}
	}
	if worst > 3.5 {
		t.Errorf("a tag at walking pace was lost by %.1f m", worst)
	}
	home := r2.Point{X: 3, Y: 5}
	var est locate.Estimate
	for i := range 6 {
		est, _ = track.Update(time.Duration(25+i)*time.Second, r.hear(home))
	}
	if d := est.Pos.Sub(home).Norm(); d > 2 {
		t.Errorf("6 s after a jump of 23 m the fix is %.1f m off", d)
	}
}

// Where receivers stand 20 m apart the radio says little each second. A walker is
// followed all the same, and not from far behind.
func TestFollowsAWalkerAmongFewReceivers(t *testing.T) {
	site := hall(160, 40, 16)
	behind, n := 0.0, 0
	for seed := range uint64(6) {
		r := newRadio(seed, site)
		r.noise = 4
		track := mustNew(t, site).NewTrack()
		for i := range 100 {
			p := r2.Point{X: 15 + 1.2*float64(i), Y: 20}
			if est, _ := track.Update(time.Duration(i)*time.Second, r.hear(p)); i >= 20 {
				behind += p.X - est.Pos.X
				n++
			}
		}
	}
	behind /= float64(n)
	t.Logf("%.1f m behind", behind)
	if behind > 3 || behind < -1.5 {
		t.Errorf("a walker is followed %.1f m behind", behind)
	}
}

// On a plan that is larger than a track's window the window goes with the tag,
// also when it turns up elsewhere. Receivers are 20 m apart.
func TestWindowFollowsOnLargePlan(t *testing.T) {
	t.Parallel()
	site := hall(160, 100, 40)
	r := newRadio(11, site)
	track := mustNew(t, site).NewTrack()
	rng := rand.New(rand.NewPCG(4, 4))
	for leg := range 6 {
		from := r2.Point{X: 10 + 125*rng.Float64(), Y: 10 + 80*rng.Float64()}
		for i := range 20 {
			p := from.Add(r2.Point{X: float64(i) * 1.2})
			at := time.Duration(leg*20+i) * time.Second
			est, ok := track.Update(at, r.hear(p))
			if d := est.Pos.Sub(p).Norm(); !ok || (i > 6 && d > 10) {
				t.Fatalf("leg %d second %d: %.1f m off", leg, i, d)
			}
		}
	}
}

// Estimates stay on the plan whatever is heard: rapid draws sites, silences and
// readings without sense.
func TestEstimatesStayOnThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coordinate := rapid.Float64Range(-50, 50)
		site := locate.Site{TagHeightM: rapid.Float64Range(0, 3).Draw(t, "height")}
		x, y := coordinate.Draw(t, "x"), coordinate.Draw(t, "y")
		site.Bounds = rect(x, y, x+rapid.Float64Range(0.1, 60).Draw(t, "width"), y+rapid.Float64Range(0.1, 60).Draw(t, "depth"))
		for range rapid.IntRange(1, 8).Draw(t, "receivers") {
			site.Receivers = append(site.Receivers, r3.Vector{X: coordinate.Draw(t, "rx"), Y: coordinate.Draw(t, "ry"), Z: 2})
		}
		loc, err := locate.New(site, locate.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		track, at := loc.NewTrack(), time.Duration(0)
		for range rapid.IntRange(1, 6).Draw(t, "fixes") {
			at += time.Duration(rapid.IntRange(0, 40).Draw(t, "step")) * time.Second
			var samples []locate.Sample
			for range rapid.IntRange(0, 10).Draw(t, "samples") {
				samples = append(samples, locate.Sample{
					Receiver: rapid.IntRange(0, len(site.Receivers)-1).Draw(t, "receiver"),
					RSSIdBm:  rapid.Float64Range(-127, 20).Draw(t, "rssi"),
					Age:      time.Duration(rapid.IntRange(0, 5000).Draw(t, "age")) * time.Millisecond,
				})
			}
			est, ok := track.Update(at, samples)
			if ok != (len(samples) > 0) {
				t.Fatalf("%d samples, fix %t", len(samples), ok)
			}
			if ok && !site.Bounds.ContainsPoint(est.Pos) {
				t.Fatalf("%v is outside %v", est.Pos, site.Bounds)
			}
			if ok && !(est.AccuracyM > 0 && est.AccuracyM <= est.Accuracy95M && est.Accuracy95M < 100 && est.Residual >= 0) {
				t.Fatalf("impossible estimate %+v", est)
			}
		}
	})
}

// Moving a whole site moves its fixes with it.
func TestMovingTheSiteMovesTheFixes(t *testing.T) {
	site := hall(14, 9, 6)
	move := r2.Point{X: 1024, Y: -512}
	moved := site
	moved.Bounds = rect(1024, -512, 1024+14, -512+9)
	moved.Receivers = nil
	for _, at := range site.Receivers {
		moved.Receivers = append(moved.Receivers, at.Add(r3.Vector{X: move.X, Y: move.Y}))
	}
	a, b := mustNew(t, site).NewTrack(), mustNew(t, moved).NewTrack()
	r := newRadio(2, site)
	for i := range 30 {
		samples := r.hear(r2.Point{X: 2 + float64(i)/3, Y: 4})
		want, _ := a.Update(time.Duration(i)*time.Second, samples)
		got, _ := b.Update(time.Duration(i)*time.Second, samples)
		if got.Pos.Sub(move).Sub(want.Pos).Norm() > 1e-3 {
			t.Fatalf("second %d: %v, moved %v", i, want.Pos, got.Pos)
		}
	}
}

// The order in which simultaneous samples arrive does not matter.
func TestOrderOfSamplesDoesNotMatter(t *testing.T) {
	site := hall(14, 9, 6)
	r := newRadio(2, site)
	rng := rand.New(rand.NewPCG(8, 8))
	a, b := mustNew(t, site).NewTrack(), mustNew(t, site).NewTrack()
	for i := range 30 {
		samples := append(r.hear(r2.Point{X: 5, Y: 4}), r.hear(r2.Point{X: 5, Y: 4})...)
		want, _ := a.Update(time.Duration(i)*time.Second, samples)
		rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		got, _ := b.Update(time.Duration(i)*time.Second, samples)
		if got.Pos.Sub(want.Pos).Norm() > 1e-3 {
			t.Fatalf("second %d: %v and, in another order, %v", i, want.Pos, got.Pos)
		}
	}
}

// A tag that lies still keeps still: for an hour its fixes stay within a metre
// or so of their mean, although every reading is 4 dB off and every wall 4 dB
// wrong.
func TestStillTagStaysPut(t *testing.T) {
	t.Parallel()
	site := hall(12, 9, 8)
	r := newRadio(21, site)
	r.noise = 4
	for range site.Receivers {
		r.bias = append(r.bias, 4*r.rng.NormFloat64())
	}
	track := mustNew(t, site).NewTrack()
	var sum r2.Point
	var fixes []r2.Point
	for i := range 3600 {
		est, _ := track.Update(time.Duration(i)*time.Second, r.hear(r2.Point{X: 5, Y: 5}))
		if i >= 10 {
			fixes = append(fixes, est.Pos)
			sum = sum.Add(est.Pos)
		}
	}
	mean := sum.Mul(1 / float64(len(fixes)))
	worst, square := 0.0, 0.0
	for _, p := range fixes {
		d := p.Sub(mean).Norm()
		worst = math.Max(worst, d)
		square += d * d
	}
	jitter := math.Sqrt(square / float64(len(fixes)))
	t.Logf("jitter %.2f m, worst %.2f m", jitter, worst)
	if jitter > 0.6 || worst > 2 {
		t.Errorf("a tag at rest wanders by %.2f m, at worst %.2f m", jitter, worst)
	}
}

// Reset forgets: the next fix is that of a new track, to the bit.
func TestResetForgets(t *testing.T) {
	site := hall(14, 9, 6)
	loc, r := mustNew(t, site), newRadio(2, site)
	used, fresh := loc.NewTrack(), loc.NewTrack()
	still(t, used, r, r2.Point{X: 2, Y: 2}, 20)
	used.Reset()
	samples := r.hear(r2.Point{X: 12, Y: 8})
	got, _ := used.Update(time.Hour, samples)
	if want, _ := fresh.Update(0, samples); got != want {
		t.Errorf("after Reset %+v, anew %+v", got, want)
	}
}

// After a long silence the belief starts afresh, the level is still known.
func TestLongSilenceStartsAfresh(t *testing.T) {
	site := hall(30, 10, 10)
	r := newRadio(2, site)
	r.level = -75
	track := mustNew(t, site).NewTrack()
	still(t, track, r, r2.Point{X: 3, Y: 3}, 60)
	p := r2.Point{X: 27, Y: 7}
	est, ok := track.Update(10*time.Minute, r.hear(p))
	if d := est.Pos.Sub(p).Norm(); !ok || d > 4 {
		t.Errorf("first fix after ten minutes is %.1f m off", d)
	}
	if math.Abs(est.LevelDBm+75) > 4 {
		t.Errorf("the level was −75 dBm and is now %.1f", est.LevelDBm)
	}
}

// Time that stands still or runs backwards is no time.
func TestTimeNeverRunsBackwards(t *testing.T) {
	site := hall(12, 9, 6)
	r := newRadio(2, site)
	track := mustNew(t, site).NewTrack()
	p := r2.Point{X: 4, Y: 4}
	for _, s := range []int{10, 10, 3, 11, 0, 12} {
		est, ok := track.Update(time.Duration(s)*time.Second, r.hear(p))
		if !ok || est.Pos.Sub(p).Norm() > 3 {
			t.Fatalf("second %d: %+v", s, est)
		}
	}
}

// Tracks of one locator may run side by side and give what they give alone.
func TestTracksRunInParallel(t *testing.T) {
	site := hall(12, 9, 6)
	loc := mustNew(t, site)
	run := func(seed uint64) locate.Estimate {
		r := newRadio(seed, site)
		track := loc.NewTrack()
		var est locate.Estimate
		for i := range 20 {
			est, _ = track.Update(time.Duration(i)*time.Second, r.hear(r2.Point{X: float64(seed), Y: 4}))
		}
		return est
	}
	want := make([]locate.Estimate, 8)
	for i := range want {
		want[i] = run(uint64(i))
	}
	got := make([]locate.Estimate, len(want))
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = run(uint64(i)) })
	}
	wg.Wait()
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("track %d: alone %+v, in parallel %+v", i, want[i], got[i])
		}
	}
}

// The promise of the hot path: a track that runs allocates nothing, also when
// its window moves.
func TestUpdateDoesNotAllocate(t *testing.T) {
	site := hall(120, 80, 24)
	r := newRadio(1, site)
	var seconds [][]locate.Sample
	for i := range 50 {
		seconds = append(seconds, r.hear(r2.Point{X: 2 + 2.3*float64(i), Y: 40}))
	}
	track := mustNew(t, site).NewTrack()
	track.Update(0, seconds[0])
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		track.Update(time.Duration(i)*time.Second, seconds[i%len(seconds)])
	}); n != 0 {
		t.Errorf("Update allocates %g times", n)
	}
}

// A tag that was reset holds no posterior: only its struct and what the garbage
// collector rounds up to. Its posterior alone was 5 KiB.
func TestIdleTrackIsSmall(t *testing.T) {
	site := hall(30, 30, 12)
	loc, r := mustNew(t, site), newRadio(1, site)
	tracks := make([]locate.Track, 200)
	samples := r.hear(r2.Point{X: 3, Y: 3})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	loc.NewTrack().Update(0, samples) // the shared working memory exists before and after
	before := heap()
	for i := range tracks {
		tracks[i] = loc.NewTrack()
		tracks[i].Update(0, samples)
	}
	used := heap()
	for _, track := range tracks {
		track.Reset()
	}
	idle := heap()
	if perTrack := (int64(used) - int64(before)) / 200; perTrack < 4096 {
		t.Errorf("a running track takes %d bytes: the measurement is broken", perTrack)
	}
	if perTrack := (int64(idle) - int64(before)) / 200; perTrack > 1024 {
		t.Errorf("an idle track takes %d bytes", perTrack)
	}
	runtime.KeepAlive(tracks)
}
