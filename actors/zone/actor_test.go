package zone_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/mailbox"
	"mybeacon/actors/zone"
	"mybeacon/schema"
)

// neighbours is what the zone sees of the system.
type neighbours struct {
	occupancy []schema.Occupancy
	retired   int
	unknown   []any
}

func (n *neighbours) Occupancy(o schema.Occupancy)  { n.occupancy = append(n.occupancy, o) }
func (n *neighbours) RetireZone(schema.ZoneID) bool { n.retired++; return true }
func (n *neighbours) Unknown(msg any)               { n.unknown = append(n.unknown, msg) }

// queue is a dispatcher that runs when told, so that a test decides what waits.
type queue struct{ ready []func() }

func (q *queue) Schedule(f func()) { q.ready = append(q.ready, f) }
func (q *queue) Throughput() int   { return 100 }

func (q *queue) drain() {
	for len(q.ready) > 0 {
		f := q.ready[0]
		q.ready = q.ready[1:]
		f()
	}
}

func spawn() (*neighbours, *queue, func(any)) {
	host, q := &neighbours{}, &queue{}
	root := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) })).Root
	state := zone.NewState(zone.Place{Zone: schema.ZoneID{1}})
	pid := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return zone.NewActor(host, state) },
		actor.WithDispatcher(q), actor.WithMailbox(func() actor.Mailbox { return mailbox.New(0, &mailbox.Counters{}) })))
	q.drain()
	return host, q, func(m any) { root.Send(pid, m) }
}

func TestABurstIsPublishedOnce(t *testing.T) {
	host, q, send := spawn()
	for i := range 100 {
		send(&zone.Presence{Tag: schema.TagID{byte(i)}, Inside: true, At: schema.EventTime(i)})
	}
	q.drain()
	if len(host.occupancy) != 1 || host.occupancy[0].Tags != 100 || host.occupancy[0].At != 99 {
		t.Errorf("published %+v, want 100 tags once", host.occupancy)
	}
	send(&zone.Presence{Tag: schema.TagID{1}, Inside: true, At: 200})
	q.drain()
	if len(host.occupancy) != 1 {
		t.Errorf("published %+v though nothing changed", host.occupancy)
	}
	send(&zone.Presence{Tag: schema.TagID{1}, At: 201})
	q.drain()
	if n := len(host.occupancy); n != 2 || host.occupancy[1].Tags != 99 {
		t.Errorf("published %+v", host.occupancy)
	}
}

func TestUnknownMessagesAreReported(t *testing.T) {
	host, q, send := spawn()
	send("what?")
	q.drain()
	if len(host.unknown) != 1 {
		t.Errorf("reported %v", host.unknown)
	}
}

func TestAnEmptyZoneRetires(t *testing.T) {
	host, q, send := spawn()
	t0 := time.Unix(1000, 0)
	send(&zone.Sweep{Now: t0})
	send(&zone.Sweep{Now: t0.Add(9 * time.Minute)})
	q.drain()
	if host.retired != 0 {
		t.Error("retired too early")
	}
	send(&zone.Sweep{Now: t0.Add(10 * time.Minute)})
	q.drain()
	if host.retired != 1 {
		t.Error("not retired after 10 minutes")
	}
}
