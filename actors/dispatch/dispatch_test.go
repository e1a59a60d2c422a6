package dispatch_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"mybeacon/actors/dispatch"
)

var _ actor.Dispatcher = (*dispatch.Pool)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunsEverythingOnce(t *testing.T) {
	p := dispatch.New(3, 0)
	const senders, each = 8, 1000
	counts := make([]atomic.Int32, senders*each)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				p.Schedule(func() { counts[s*each+i].Add(1) })
			}
		})
	}
	sending.Wait()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range counts {
		if n := counts[i].Load(); n != 1 {
			t.Fatalf("function %d ran %d times", i, n)
		}
	}
}

func TestOneWorkerKeepsOrder(t *testing.T) {
	p := dispatch.New(1, 0)
	var got []int
	for i := range 500 { // beyond the first ring, so that growing is on the way
		p.Schedule(func() { got = append(got, i) })
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if i != v {
			t.Fatalf("position %d ran function %d", i, v)
		}
	}
	if len(got) != 500 {
		t.Fatalf("%d of 500 ran", len(got))
	}
}

func TestAFunctionMaySchedule(t *testing.T) {
	p := dispatch.New(1, 0)
	done := make(chan struct{})
	n := 0
	var step func()
	step = func() {
		if n++; n == 100 {
			close(done)
			return
		}
		p.Schedule(step)
	}
	p.Schedule(step)
	<-done
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClosedPoolDropsAndSaysSo(t *testing.T) {
	p := dispatch.New(0, 0)
	if p.Throughput() != dispatch.DefaultThroughput {
		t.Errorf("throughput %d", p.Throughput())
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.Schedule(func() { t.Error("ran after Close") })
	if p.Queued() != 0 {
		t.Error("queued after Close")
	}
	if p.Close() == nil {
		t.Error("a second Close is no error")
	}
}

func TestScheduleDoesNotAllocate(t *testing.T) {
	p := dispatch.New(1, 0)
	defer func() { _ = p.Close() }()
	ran := make(chan struct{}, 1)
	fn := func() { ran <- struct{}{} }
	if n := testing.AllocsPerRun(1000, func() { p.Schedule(fn); <-ran }); n > 0 {
		t.Errorf("%v allocations per Schedule", n)
	}
}
