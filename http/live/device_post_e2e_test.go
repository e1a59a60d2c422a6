package live_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"mybeacon/engine/ingest"
	"mybeacon/http/live"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

func post(t testing.TB, url string, body []byte, headers ...string) (status int, answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/device/frames", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good-token")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

func zip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const postBody = `{"frames":[
 {"boot_id":"p","seq":1,"sent_at":"2026-01-31T12:00:00.250Z","observations":[
  {"at":"2026-01-31T12:00:00Z","tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":2},"rssi_dbm":-61.5},
  {"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":127},
  {"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":-70}]},
 {"boot_id":"p","seq":3,"sent_at":"2026-01-31T12:00:01Z"},
 {"boot_id":"p","seq":5,"device_id":"00000000-0000-0000-0000-000000000001"}]}`

func TestPostJSON(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	for range 2 { // the second time nothing is added
		status, b := post(t, h.url, zip(t, []byte(postBody)), "Content-Encoding", "gzip")
		var got struct {
			Ack      []struct{ From, To int }
			Now      time.Time
			Rejected []struct{ Seq, Index, Code int }
		}
		if err := json.Unmarshal(b, &got); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, b, err)
		}
		if want := []struct{ From, To int }{{1, 1}, {3, 3}, {5, 5}}; !gocmp.Equal(got.Ack, want) {
			t.Errorf("ack %v, want %v", got.Ack, want)
		}
		if time.Since(got.Now).Abs() > time.Minute {
			t.Errorf("now is %v", got.Now)
		}
	}
	got := query[string](t, conn, `SELECT arrayStringConcat(groupArray(concat(toString(idx), ' ', toString(at), ' ', transmitter, ' ', toString(rssi_cdbm))), '; ') FROM (SELECT * FROM observations FINAL ORDER BY idx)`)
	want := "0 2026-01-31 12:00:00.000 ibeacon:01020304-0506-0708-090a-0b0c0d0e0f10/1/2 -6150; 2 2026-01-31 12:00:00.250 mac:aa:bb:cc:dd:ee:ff -7000"
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPostRejections(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	_, b := post(t, h.url, []byte(postBody))
	var got struct {
		Rejected []struct {
			BootID string `json:"boot_id"`
			Seq    int
			Index  int
			Code   int
			Reason string
		}
	}
	if err := json.Unmarshal(b, &got); err != nil || len(got.Rejected) != 2 {
		t.Fatalf("%s: %v", b, err)
	}
	if r := got.Rejected[0]; r.Seq != 5 || r.Index != -1 || r.Code != 208 || r.BootID != "p" {
		t.Errorf("first rejection %+v", r)
	}
	if r := got.Rejected[1]; r.Seq != 1 || r.Index != 1 || r.Code != 302 || !strings.HasPrefix(r.Reason, "rssi_absent: ") {
		t.Errorf("second rejection %+v", r)
	}
}

func TestPostProtobuf(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	enc := wire.NewEncoder()
	body := wire.AppendFrames(nil, enc.AppendFrame(nil, scanFrame(5)), enc.AppendFrame(nil, scanFrame(6)))
	status, b := post(t, h.url, body, "Content-Type", "application/x-protobuf")
	var answer wirepb.FramesAnswer
	if err := proto.Unmarshal(b, &answer); err != nil || status != 200 || len(answer.Ack) != 1 || answer.Ack[0].From != 5 || answer.Ack[0].To != 6 {
		t.Errorf("%d %v %v", status, &answer, err)
	}
	if rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL"); rows != 11 {
		t.Errorf("%d rows, want 11", rows)
	}
}

func TestPostRefusals(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", func(c *ingest.Config, _ *live.DevicesConfig) { c.MaxRequests = 1 })
	f := func(name string, body []byte, want int, headers ...string) {
		t.Helper()
		status, b := post(t, h.url, body, headers...)
		if status != want {
			t.Errorf("%s: %d %s, want %d", name, status, b, want)
		}
	}
	f("a stranger", []byte(postBody), 401, "Authorization", "Bearer bad")
	f("no token", []byte(postBody), 401, "Authorization", "")
	f("no JSON", []byte("{"), 400)
	f("XML", []byte("<x/>"), 400, "Content-Type", "text/xml")
	f("deep", []byte(`{"frames":`+strings.Repeat("[", 100_000)), 400)
	f("brotli", []byte(postBody), 400, "Content-Encoding", "br")
	f("no gzip", []byte(postBody), 400, "Content-Encoding", "gzip")
	f("two megabytes", make([]byte, 2<<20), 413)
	f("a bomb", zip(t, make([]byte, 16<<20)), 413, "Content-Encoding", "gzip")
	f("and then a good one", []byte(postBody), 200)
	for reason, want := range map[string]float64{"message_too_deep": 1, "message_too_large": 1, "compression_bomb": 1, "content_unknown": 2} {
		if n := h.counter(t, "mybeacon_bad_frames_total", reason); n != want {
			t.Errorf("%s counted %v times, want %v", reason, n, want)
		}
	}
}

// Most clients write the whole body before they read: they must not find the
// connection reset, or they never learn why.
func TestPostTooLargeIsReadAwayAndAnswered(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const size = 12 << 20
	_, err = fmt.Fprintf(conn, "POST /api/v1/device/frames HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good-token\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Write(make([]byte, size)); err != nil {
		t.Fatalf("cut after %d bytes: %v", n, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if b, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(b), "101") {
		t.Errorf("%d %s %v", resp.StatusCode, b, err)
	}
}

// away is a warehouse that does not answer.
type away struct{}

func (away) StoredSeqs(ctx context.Context, _ schema.Source, _ string, _ schema.EventTime) ([]wire.SeqRange, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A POST answers in time what is acknowledged by then: nothing, while the
// warehouse is away.
func TestPostDoesNotWaitForEver(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", func(c *ingest.Config, d *live.DevicesConfig) {
		c.Stored = away{}
		d.PostWait = 100 * time.Millisecond
	})
	status, b := post(t, h.url, []byte(postBody))
	if want := `"ack":[{"boot_id":"p","from":3,"to":3},{"boot_id":"p","from":5,"to":5}]`; status != 200 || !strings.Contains(string(b), want) {
		t.Errorf("%d %s, want %s", status, b, want)
	}
}

func TestDevicesConfig(t *testing.T) {
	if _, err := live.NewDevices(live.DefaultDevicesConfig()); err == nil {
		t.Error("a configuration without an ingest was accepted")
	}
}
