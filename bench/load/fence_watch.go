package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/live"
	"mybeacon/schema"
)

// fenceWatcher is a subscriber of a live map that counts zone changes.
type fenceWatcher struct {
	conn   *websocket.Conn
	server *http.Server
	done   sync.WaitGroup

	mu      sync.Mutex
	zones   []schema.ZoneID // of each tag
	count   int
	err     error
	changed chan struct{}
}

// watchFences serves the location's live map at a loopback address and reads it.
func watchFences(ctx context.Context, hub *live.Hub, location schema.LocationID, tags int) (*fenceWatcher, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the live map: %w", err)
	}
	w := &fenceWatcher{zones: make([]schema.ZoneID, tags), changed: make(chan struct{}, 1)}
	w.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.done.Add(1)
		defer w.done.Done()
		relay(rw, r, hub, location)
	})}
	w.done.Go(func() { _ = w.server.Serve(listener) })                          // it ends when it is closed
	w.conn, _, err = websocket.Dial(ctx, "ws://"+listener.Addr().String(), nil) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the live map: %w", err), w.close())
	}
	w.conn.SetReadLimit(1 << 20)
	w.done.Go(func() { w.read(ctx) })
	return w, nil
}

// relay writes what a subscription says, as the live map's socket does.
func relay(rw http.ResponseWriter, r *http.Request, hub *live.Hub, location schema.LocationID) {
	conn, err := websocket.Accept(rw, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	sub, err := hub.Subscribe(location, live.Options{Rate: live.MinRate})
	if err != nil {
		return
	}
	defer sub.Close()
	ctx := conn.CloseRead(context.Background())
	var buf []byte
	for {
		if buf, err = sub.Next(ctx, buf); err != nil {
			return
		}
		if err := conn.Write(ctx, websocket.MessageText, buf); err != nil {
			return
		}
	}
}

func (w *fenceWatcher) read(ctx context.Context) {
	var buf []byte
	for {
		err := func() error {
			_, r, err := w.conn.Reader(ctx)
			if err != nil {
				return err
			}
			if buf, err = appendAll(buf[:0], r); err != nil {
				return err
			}
			return w.take(buf)
		}()
		if err != nil {
			w.mu.Lock()
			w.err = err
			w.mu.Unlock()
			w.wake()
			return
		}
	}
}

// take takes in a message: leaving a zone is an event, and entering one.
func (w *fenceWatcher) take(message []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.wake()
	return eachTag(message, func(e *entry) error {
		tag := int(binary.BigEndian.Uint32(e.id[12:])) - 1
		if tag < 0 || tag >= len(w.zones) {
			return fmt.Errorf("the live map shows the unknown tag %v", e.id)
		}
		var zone schema.ZoneID
		if len(e.zone) > 0 {
			var id schema.TagID
			if err := readID(&id, e.zone); err != nil {
				return err
			}
			zone = schema.ZoneID(id)
		}
		before := w.zones[tag]
		if before == zone {
			return nil
		}
		if !before.IsZero() {
			w.count++
		}
		if !zone.IsZero() {
			w.count++
		}
		w.zones[tag] = zone
		return nil
	})
}

func (w *fenceWatcher) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *fenceWatcher) events() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// agreement is how long a live map may take to show what is true now.
const agreement = 10 * time.Second

// await waits until the subscriber knows what is true.
func (w *fenceWatcher) await(ctx context.Context, s *fenceSite) error {
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	for {
		wrong := 0
		w.mu.Lock()
		err := w.err
		s.eachZone(func(tag int, zone schema.ZoneID) {
			if w.zones[tag] != zone {
				wrong++
			}
		})
		w.mu.Unlock()
		if err != nil || wrong == 0 {
			return err
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
			return disagreement(wrong)
		}
	}
}

func (w *fenceWatcher) close() error {
	if w.conn != nil {
		_ = w.conn.CloseNow()
	}
	err := w.server.Close()
	w.done.Wait()
	return err
}
