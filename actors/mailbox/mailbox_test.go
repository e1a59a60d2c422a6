package mailbox_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"pgregory.net/rapid"

	"mybeacon/actors/mailbox"
)

type liveMsg int

func (liveMsg) Droppable() {}

type keyedMsg struct{ key, value int }

func (m keyedMsg) MailboxKey() mailbox.Key { return mailbox.Key{Kind: 1, ID: [16]byte{byte(m.key)}} }

type controlMsg int

type systemMsg int

// batch has the method by which protoactor's own mailbox recognises a batch and
// delivers its elements and then the whole.
type batch []any

func (b batch) GetMessages() []any { return b }

// recorder stands for the actor. boom names the messages it panics at.
type recorder struct {
	got      []any
	failures []any
	boom     func(any) bool
	box      *mailbox.Mailbox
}

func (r *recorder) InvokeSystemMessage(m any) { r.got = append(r.got, m) }

func (r *recorder) InvokeUserMessage(m any) {
	if r.boom != nil && r.boom(m) {
		panic(fmt.Sprintf("boom %v", m))
	}
	r.got = append(r.got, m)
}

// EscalateFailure does what the actor system does: suspend until resumed.
func (r *recorder) EscalateFailure(reason, msg any) {
	r.failures = append(r.failures, msg)
	r.box.PostSystemMessage(&actor.SuspendMailbox{})
}

// manual is a dispatcher that runs when told, so that a test says what waits.
type manual struct {
	ready      []func()
	throughput int
}

func (d *manual) Schedule(f func()) { d.ready = append(d.ready, f) }
func (d *manual) Throughput() int   { return d.throughput }

func (d *manual) drain() {
	for len(d.ready) > 0 {
		f := d.ready[0]
		d.ready = d.ready[1:]
		f()
	}
}

func newBox(limit int) (*mailbox.Mailbox, *recorder, *manual, *mailbox.Counters) {
	counters := &mailbox.Counters{}
	box := mailbox.New(limit, counters)
	rec, disp := &recorder{box: box}, &manual{throughput: 3}
	box.RegisterHandlers(rec, disp)
	box.Start()
	return box, rec, disp, counters
}

func wantMessages(t interface {
	Helper()
	Fatalf(string, ...any)
}, got []any, want ...any) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("handled %v, want %v", got, want)
	}
}

func TestOrderAndSystemFirst(t *testing.T) {
	box, rec, disp, _ := newBox(10)
	box.PostUserMessage(liveMsg(1))
	box.PostUserMessage(controlMsg(2))
	box.PostSystemMessage(systemMsg(3))
	box.PostUserMessage(keyedMsg{1, 4})
	box.PostUserMessage(liveMsg(5))
	disp.drain()
	wantMessages(t, rec.got, systemMsg(3), liveMsg(1), controlMsg(2), keyedMsg{1, 4}, liveMsg(5))
}

func TestBatchIsOneMessage(t *testing.T) {
	box, rec, disp, _ := newBox(10)
	box.PostUserMessage(batch{1, 2})
	disp.drain()
	if len(rec.got) != 1 {
		t.Fatalf("a batch of two was handled as %v", rec.got)
	}
}

func TestOverflowDropsTheOldestLiveMessage(t *testing.T) {
	box, rec, disp, counters := newBox(3)
	box.PostUserMessage(controlMsg(0))
	for i := range 5 {
		box.PostUserMessage(liveMsg(i))
	}
	if n := box.UserMessageCount(); n != 4 {
		t.Errorf("%d wait, want 3 live and 1 control", n)
	}
	disp.drain()
	wantMessages(t, rec.got, controlMsg(0), liveMsg(2), liveMsg(3), liveMsg(4))
	if n := counters.Dropped.Load(); n != 2 {
		t.Errorf("counted %d dropped, want 2", n)
	}
}

func TestControlIsBoundedToo(t *testing.T) {
	box, rec, disp, counters := newBox(2)
	released := false
	box.PostUserMessage(&mailbox.Barrier{Done: func() { released = true }})
	for i := range 9 {
		box.PostUserMessage(controlMsg(i))
	}
	if !released {
		t.Error("a dropped barrier left its sender waiting")
	}
	disp.drain()
	if len(rec.got) != 8 || rec.got[0] != controlMsg(1) || counters.Refused.Load() != 2 {
		t.Errorf("handled %v, refused %d", rec.got, counters.Refused.Load())
	}
}

func TestNewestOfAKeyStandsAtTheBack(t *testing.T) {
	box, rec, disp, counters := newBox(10)
	box.PostUserMessage(keyedMsg{1, 1})
	box.PostUserMessage(liveMsg(0))
	box.PostUserMessage(keyedMsg{2, 1})
	box.PostUserMessage(keyedMsg{1, 2})
	if n := box.UserMessageCount(); n != 3 {
		t.Errorf("%d wait, want 3", n)
	}
	disp.drain()
	wantMessages(t, rec.got, liveMsg(0), keyedMsg{2, 1}, keyedMsg{1, 2})
	if n := counters.Conflated.Load(); n != 1 {
		t.Errorf("counted %d replaced, want 1", n)
	}
}

func TestBarrierFollowsWhatWasPostedBefore(t *testing.T) {
	box, rec, disp, _ := newBox(10)
	box.PostUserMessage(liveMsg(1))
	seen := -1
	box.PostUserMessage(&mailbox.Barrier{Done: func() { seen = len(rec.got) }})
	box.PostUserMessage(liveMsg(2))
	disp.drain()
	if seen != 1 {
		t.Errorf("the barrier was called after %d messages, want 1", seen)
	}
	wantMessages(t, rec.got, liveMsg(1), liveMsg(2))
}

func TestPanicLosesOneMessageAndSuspends(t *testing.T) {
	box, rec, disp, counters := newBox(10)
	rec.boom = func(m any) bool { return m == liveMsg(2) }
	for i := 1; i <= 3; i++ {
		box.PostUserMessage(liveMsg(i))
	}
	disp.drain()
	wantMessages(t, rec.got, liveMsg(1))
	wantMessages(t, rec.failures, liveMsg(2))
	box.PostUserMessage(liveMsg(4))
	disp.drain()
	wantMessages(t, rec.got, liveMsg(1))
	box.PostSystemMessage(&actor.ResumeMailbox{})
	disp.drain()
	wantMessages(t, rec.got, liveMsg(1), liveMsg(3), liveMsg(4))
	if n := counters.Panics.Load(); n != 1 {
		t.Errorf("counted %d panics", n)
	}
}

func TestTurnsAreShort(t *testing.T) {
	box, rec, disp, _ := newBox(100)
	for i := range 10 {
		box.PostUserMessage(liveMsg(i))
	}
	turns := 0
	for len(disp.ready) > 0 {
		f := disp.ready[0]
		disp.ready = disp.ready[1:]
		f()
		turns++
	}
	if turns < 4 || len(rec.got) != 10 {
		t.Errorf("%d messages in %d turns of 3", len(rec.got), turns)
	}
}

// TestModel compares the mailbox with the policy written down naively.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 5
		box, rec, disp, _ := newBox(limit)
		var model []any
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"live": func(t *rapid.T) {
				n++
				if i, count := firstLive(model); count == limit {
					model = slices.Delete(model, i, i+1)
				}
				model = append(model, liveMsg(n))
				box.PostUserMessage(liveMsg(n))
			},
			"keyed": func(t *rapid.T) {
				n++
				m := keyedMsg{rapid.IntRange(0, 6).Draw(t, "key"), n}
				model = slices.DeleteFunc(model, func(o any) bool { k, ok := o.(keyedMsg); return ok && k.key == m.key })
				model = append(model, m)
				box.PostUserMessage(m)
			},
			"handle": func(t *rapid.T) {
				rec.got = rec.got[:0]
				disp.drain()
				wantMessages(t, rec.got, model...)
				model = nil
			},
			"": func(t *rapid.T) {
				if got := box.UserMessageCount(); got != len(model) {
					t.Fatalf("%d wait, want %d", got, len(model))
				}
			},
		})
	})
}

func firstLive(model []any) (first, count int) {
	first = -1
	for i, m := range model {
		if _, ok := m.(liveMsg); ok {
			if first < 0 {
				first = i
			}
			count++
		}
	}
	return first, count
}

// TestConcurrentSenders checks that nothing is lost and each sender's order is
// kept when many goroutines post while the actor runs.
func TestConcurrentSenders(t *testing.T) {
	const senders, each = 8, 2000
	box := mailbox.New(senders*each, &mailbox.Counters{})
	type tagged struct{ sender, n int }
	last := make([]int, senders)
	handled := 0
	done := make(chan struct{})
	rec := &funcInvoker{func(m any) {
		v := m.(tagged)
		if v.n != last[v.sender]+1 {
			t.Errorf("sender %d: %d after %d", v.sender, v.n, last[v.sender])
		}
		last[v.sender] = v.n
		if handled++; handled == senders*each {
			close(done)
		}
	}}
	box.RegisterHandlers(rec, actor.NewDefaultDispatcher(50))
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := 1; n <= each; n++ {
				box.PostUserMessage(tagged{s, n})
			}
		})
	}
	wg.Wait()
	<-done
}

type funcInvoker struct{ f func(any) }

func (i *funcInvoker) InvokeSystemMessage(any)  {}
func (i *funcInvoker) InvokeUserMessage(m any)  { i.f(m) }
func (i *funcInvoker) EscalateFailure(_, _ any) {}
