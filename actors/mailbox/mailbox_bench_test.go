package mailbox_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/dispatch"
	"mybeacon/actors/mailbox"
)

// BenchmarkActors sends one message at a time to each of 10,000 actors in turn,
// with protoactor's parts and with ours.
func BenchmarkActors(b *testing.B) {
	ours := func() actor.MailboxProducer {
		c := &mailbox.Counters{}
		return func() actor.Mailbox { return mailbox.New(1<<20, c) }
	}
	b.Run("mailbox=default/dispatcher=default", func(b *testing.B) {
		benchActors(b, actor.Unbounded(), actor.NewDefaultDispatcher(300))
	})
	b.Run("mailbox=ours/dispatcher=default", func(b *testing.B) {
		benchActors(b, ours(), actor.NewDefaultDispatcher(300))
	})
	b.Run("mailbox=default/dispatcher=pool", func(b *testing.B) {
		p := dispatch.New(0, 0)
		defer func() { _ = p.Close() }()
		benchActors(b, actor.Unbounded(), p)
	})
	b.Run("mailbox=ours/dispatcher=pool", func(b *testing.B) {
		p := dispatch.New(0, 0)
		defer func() { _ = p.Close() }()
		benchActors(b, ours(), p)
	})
}

func benchActors(b *testing.B, box actor.MailboxProducer, d actor.Dispatcher) {
	const actors = 10_000
	sys := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	var handled sync.WaitGroup
	receive := func(c actor.Context) {
		if _, ok := c.Message().(liveMsg); ok {
			handled.Done()
		}
	}
	props := actor.PropsFromFunc(receive, actor.WithMailbox(box), actor.WithDispatcher(d))
	pids := make([]*actor.PID, actors)
	for i := range pids {
		pids[i] = sys.Root.Spawn(props)
	}
	var msg any = liveMsg(1)
	b.ReportAllocs()
	b.ResetTimer()
	handled.Add(b.N)
	for i := range b.N {
		sys.Root.Send(pids[i%actors], msg)
	}
	handled.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	for _, pid := range pids {
		_ = sys.Root.StopFuture(pid).Wait()
	}
}

func TestPostingDoesNotAllocate(t *testing.T) {
	box, _, disp, _ := newBox(64)
	sink := &funcInvoker{func(any) {}}
	box.RegisterHandlers(sink, disp)
	var a, k any = liveMsg(1), any(keyedMsg{1, 1})
	box.PostUserMessage(k)
	disp.drain()
	if n := testing.AllocsPerRun(1000, func() {
		box.PostUserMessage(a)
		disp.drain()
	}); n > 1 { // the manual dispatcher's own slice
		t.Errorf("%v allocations per message", n)
	}
}
