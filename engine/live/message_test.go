package live

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mybeacon/schema"
)

// FuzzAppendTag: what the encoder writes, encoding/json reads back as the same.
// It is an internal test because only the encoder itself takes arbitrary names.
func FuzzAppendTag(f *testing.F) {
	f.Add("Мария \"M\"", "person", 1.25, -3.0, -61.5, int64(1767225600123), []byte("0123456789abcdef"))
	f.Add("\x00\x1f\x7f\u2028\xff\\", "", math.MaxFloat64, math.SmallestNonzeroFloat64, -0.004, int64(1), []byte{})
	f.Fuzz(func(t *testing.T, name, kind string, x, y, rssi float64, at int64, raw []byte) {
		if at <= 0 || at > 1<<46 || math.IsInf(x+y+rssi, 0) || math.IsNaN(x+y+rssi) {
			t.Skip()
		}
		var id schema.TagID
		copy(id[:], raw)
		in := Tag{ID: id, Name: name, Type: kind, X: x, Y: y, RSSI: rssi, At: schema.EventTime(at), State: StatePresent}
		text := appendTag(nil, &in)
		var got Tag
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		in.Name, in.Type = strings.ToValidUTF8(name, "\ufffd"), strings.ToValidUTF8(kind, "\ufffd")
		if !utf8.ValidString(name) || !utf8.ValidString(kind) {
			in.Name, in.Type = got.Name, got.Type // runs of bad bytes may be replaced one by one
		}
		near := func(a, b float64) bool { return math.Abs(a-b) <= 0.005+1e-9*math.Abs(a) }
		if !near(in.X, got.X) || !near(in.Y, got.Y) || !near(in.RSSI, got.RSSI) {
			t.Fatalf("numbers changed: %+v became %s", in, text)
		}
		in.X, in.Y, in.RSSI = got.X, got.Y, got.RSSI
		if diff := cmp.Diff(in, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestAppendHundredths(t *testing.T) {
	for v, want := range map[float64]string{1.234: "1.23", -61.5: "-61.5", 0: "0", 12: "12", math.Inf(1): "null", 1e300: "1e+300"} {
		if got := string(appendHundredths(nil, v)); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
	if got := string(appendHundredths(nil, math.NaN())); got != "null" {
		t.Errorf("NaN: got %s", got)
	}
}

func TestEncoderDoesNotAllocate(t *testing.T) {
	tag := Tag{ID: schema.NewID[schema.TagID](), Name: "Мария", Type: "person", X: 1.5, Y: 2.25, AccuracyM: 1.5, RSSI: -61.5, At: schema.EventTimeOf(time.Now()), State: StatePresent}
	zone := Zone{ID: schema.NewID[schema.ZoneID](), Name: "Kitchen", Occupancy: 3}
	buf := make([]byte, 0, 2048)
	allocs := testing.AllocsPerRun(100, func() {
		buf = appendHead(buf[:0], TypeDelta, "00", 1, time.Unix(0, 0))
		buf = appendZone(appendTag(buf, &tag), &zone)
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
