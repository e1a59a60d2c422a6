package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

var device = schema.DeviceID{1, 2, 3}

func newDecoder() *wire.Decoder { return wire.NewDecoder(wire.DefaultLimits(), device) }

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goodFrame is a frame of two observations of two transmitters.
func goodFrame() *wirepb.Frame {
	return &wirepb.Frame{
		BootId: "boot-1", Seq: 7, SentAtMs: 1_767_225_600_000,
		Transmitters: []*wirepb.Transmitter{
			{Kind: 1, Id: []byte{1, 2, 3, 4, 5, 6}},
			{Kind: 2, Id: make([]byte, 16), Major: 1, Minor: 65535},
		},
		Transmitter: []uint32{1, 0}, AtDeltaMs: []int64{-250, 0}, RssiCdbm: []int32{-6150, -9000},
	}
}

func transmitters() *rapid.Generator[schema.Transmitter] {
	return rapid.Custom(func(t *rapid.T) schema.Transmitter {
		id := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		switch rapid.IntRange(1, 3).Draw(t, "kind") {
		case 1:
			return schema.MACTransmitter([6]byte(id[:6]))
		case 2:
			return schema.IBeacon(id, rapid.Uint16().Draw(t, "major"), rapid.Uint16().Draw(t, "minor"))
		default:
			return schema.Transmitter{Kind: schema.TransmitterEddystoneUID, ID: id}
		}
	})
}

func frames() *rapid.Generator[schema.Frame] {
	return rapid.Custom(func(t *rapid.T) schema.Frame {
		table := rapid.SliceOfN(transmitters(), 1, 5).Draw(t, "table")
		f := schema.Frame{
			BootID: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "boot"),
			Seq:    rapid.Uint64Min(1).Draw(t, "seq"),
			SentAt: schema.EventTime(rapid.Int64Range(0, 1<<45).Draw(t, "sent_at")),
		}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			f.Observations = append(f.Observations, schema.Observation{
				At:          f.SentAt - schema.EventTime(rapid.Int64Range(-1000, 100_000).Draw(t, "age")),
				Transmitter: rapid.SampledFrom(table).Draw(t, "transmitter"),
				RSSI:        schema.CentiDBm(rapid.IntRange(-32767, 32767).Draw(t, "rssi")),
			})
		}
		return f
	})
}

// What the encoder writes, our decoder and the generated code both read back.
func TestFramesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(frames(), 1, 4).Draw(t, "frames")
		enc := wire.NewEncoder()
		var raw [][]byte
		for _, f := range want {
			raw = append(raw, enc.AppendFrame(nil, f))
		}
		in, err := newDecoder().Message(wire.AppendFramesMessage(nil, raw...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wire.Message{Frames: want}, in.Frames); diff != "" {
			t.Fatal(diff)
		}
		var generated wirepb.ToEngine
		if err := proto.Unmarshal(wire.AppendFramesMessage(nil, raw...), &generated); err != nil {
			t.Fatal(err)
		}
		for i, f := range generated.GetFrames().Frames {
			if f.BootId != want[i].BootID || f.Seq != want[i].Seq || len(f.RssiCdbm) != len(want[i].Observations) {
				t.Fatalf("generated code read %v, want %v", f, want[i])
			}
		}
	})
}

func TestFrameRefusals(t *testing.T) {
	f := func(name string, change func(*wirepb.Frame), reason wire.Reason) {
		t.Helper()
		bad := goodFrame()
		change(bad)
		msg, err := newDecoder().Frames(marshal(t, &wirepb.Frames{Frames: []*wirepb.Frame{goodFrame(), bad, goodFrame()}}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(msg.Frames) != 2 || len(msg.Refused) != 1 {
			t.Fatalf("%s: %d frames kept, refused %v", name, len(msg.Frames), msg.Refused)
		}
		want := wire.Rejection{BootID: bad.BootId, Seq: bad.Seq, Index: wire.WholeFrame, Reason: reason}
		if reason == wire.BootIDInvalid {
			want.BootID = ""
		}
		if msg.Refused[0] != want {
			t.Errorf("%s: got %+v, want %+v", name, msg.Refused[0], want)
		}
	}
	f("no boot_id", func(f *wirepb.Frame) { f.BootId = "" }, wire.BootIDInvalid)
	f("boot_id with a space", func(f *wirepb.Frame) { f.BootId = "a b" }, wire.BootIDInvalid)
	f("long boot_id", func(f *wirepb.Frame) { f.BootId = strings.Repeat("a", 65) }, wire.BootIDInvalid)
	f("seq 0", func(f *wirepb.Frame) { f.Seq = 0 }, wire.SeqInvalid)
	f("fewer powers", func(f *wirepb.Frame) { f.RssiCdbm = f.RssiCdbm[:1] }, wire.ColumnsUnequal)
	f("more times", func(f *wirepb.Frame) { f.AtDeltaMs = append(f.AtDeltaMs, 0) }, wire.ColumnsUnequal)
	f("another device", func(f *wirepb.Frame) { f.Device = make([]byte, 16) }, wire.DeviceForeign)
	f("half a device", func(f *wirepb.Frame) { f.Device = device[:8] }, wire.DeviceForeign)
	f("over-long", func(f *wirepb.Frame) { f.RssiCdbm = make([]int32, 10_001) }, wire.FrameTooLong)
	f("long table", func(f *wirepb.Frame) {
		for range 10_000 {
			f.Transmitters = append(f.Transmitters, &wirepb.Transmitter{})
		}
	}, wire.TransmittersTooMany)
}

// A wrong observation keeps its place and cannot be mistaken for a right one.
func TestSuspiciousValuesStayOutsideTheValidRange(t *testing.T) {
	f := goodFrame()
	f.Transmitters = append(f.Transmitters, &wirepb.Transmitter{Kind: 1, Id: []byte{1}}, &wirepb.Transmitter{Kind: 2, Id: make([]byte, 16), Major: 65536})
	f.Transmitter = []uint32{0, 99, 2, 3, 0, 0}
	f.AtDeltaMs = []int64{0, 0, 0, 0, 1<<63 - 1, -1 << 63}
	f.RssiCdbm = []int32{-6150, -6150, -6150, -6150, 1 << 16, -1 << 31}
	f.Device = device[:]
	msg, err := newDecoder().Frames(marshal(t, &wirepb.Frames{Frames: []*wirepb.Frame{f}}))
	if err != nil || len(msg.Frames) != 1 {
		t.Fatalf("%v %v", msg, err)
	}
	obs := msg.Frames[0].Observations
	if obs[0].Transmitter.String() != "mac:01:02:03:04:05:06" {
		t.Errorf("transmitter 0 is %v", obs[0].Transmitter)
	}
	for i := 1; i <= 3; i++ {
		if obs[i].Transmitter != (schema.Transmitter{}) {
			t.Errorf("transmitter of observation %d is %v, want none", i, obs[i].Transmitter)
		}
	}
	if obs[4].RSSI <= schema.MaxRSSI || obs[5].RSSI <= schema.MaxRSSI {
		t.Errorf("wild powers became %d and %d", obs[4].RSSI, obs[5].RSSI)
	}
	if obs[4].At < 1<<62 || obs[5].At > -1<<62 {
		t.Errorf("wild times wrapped to %d and %d", obs[4].At, obs[5].At)
	}
}

func TestMessageRefusals(t *testing.T) {
	f := func(name string, b []byte, want wire.Reason) {
		t.Helper()
		_, err := newDecoder().Message(b)
		var e *wire.Error
		if !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	many := &wirepb.Frames{Frames: make([]*wirepb.Frame, 1001)}
	for i := range many.Frames {
		many.Frames[i] = &wirepb.Frame{BootId: "b", Seq: 1}
	}
	long := &wirepb.Frames{}
	for range 11 {
		long.Frames = append(long.Frames, &wirepb.Frame{BootId: "b", Seq: 1, Transmitter: make([]uint32, 9500), AtDeltaMs: make([]int64, 9500), RssiCdbm: make([]int32, 9500)})
	}
	frames := func(m *wirepb.Frames) []byte {
		return marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Frames{Frames: m}})
	}
	f("nothing", nil, wire.MessageMalformed)
	f("noise", []byte("GET / HTTP/1.1"), wire.MessageMalformed)
	f("too many frames", frames(many), wire.TooManyFrames)
	f("too many observations", frames(long), wire.TooManyObservations)
	f("more than a megabyte", make([]byte, 1<<20+1), wire.MessageTooLarge)
	f("a huge hello", marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{Hello: &wirepb.Hello{Agent: strings.Repeat("a", 5000)}}}), wire.MessageTooLarge)
	good := frames(&wirepb.Frames{Frames: []*wirepb.Frame{goodFrame()}})
	f("cut", good[:len(good)-1], wire.MessageMalformed)
	f("two in one", append(good[:len(good):len(good)], good...), wire.MessageMalformed)
}

func TestControlMessages(t *testing.T) {
	want := &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{Hello: &wirepb.Hello{Protocol: 1, BootId: "b", Agent: "a/1"}}}
	in, err := newDecoder().Message(marshal(t, want))
	if err != nil || !proto.Equal(in.Control, want) {
		t.Fatalf("%v %v", in.Control, err)
	}
}

// Unpacked arrays and repeated pieces are legal protobuf for the same frame.
func TestColumnsMayComeInPieces(t *testing.T) {
	whole := marshal(t, goodFrame())
	head := marshal(t, &wirepb.Frame{BootId: "boot-1", Seq: 7, SentAtMs: 1_767_225_600_000, Transmitter: []uint32{1}, AtDeltaMs: []int64{-250}, RssiCdbm: []int32{-6150}})
	tail := marshal(t, &wirepb.Frame{Transmitters: goodFrame().Transmitters, RssiCdbm: []int32{-9000}})
	pieces := append(head, tail...)
	pieces = append(pieces, 5<<3, 0, 6<<3, 0) // transmitter and at_delta_ms, not packed
	a, errA := newDecoder().Frames(wire.AppendFrames(nil, whole))
	b, errB := newDecoder().Frames(wire.AppendFrames(nil, pieces))
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func FuzzMessage(f *testing.F) {
	enc := wire.NewEncoder()
	obs := []schema.Observation{{At: 1, Transmitter: schema.MACTransmitter([6]byte{1}), RSSI: -6000}}
	f.Add(wire.AppendFramesMessage(nil, enc.AppendFrame(nil, schema.Frame{BootID: "b", Seq: 1, SentAt: 1, Observations: obs})))
	f.Add(wire.AppendFramesMessage(nil, enc.AppendFrame(nil, schema.Frame{BootID: "b", Seq: 1})))
	f.Add(marshal(f, &wirepb.ToEngine{Body: &wirepb.ToEngine_Frames{Frames: &wirepb.Frames{Frames: []*wirepb.Frame{goodFrame()}}}}))
	f.Add(marshal(f, &wirepb.ToEngine{Body: &wirepb.ToEngine_Dropped{Dropped: &wirepb.Dropped{BootId: "b", From: 1, To: 2}}}))
	f.Add(wire.AppendFramesMessage(nil, enc.AppendFrame(nil, detailed())))
	f.Add([]byte{18, 2, 10, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := newDecoder().Message(b)
		if err != nil {
			return
		}
		var generated wirepb.ToEngine
		if perr := proto.Unmarshal(b, &generated); perr != nil {
			// Ours skips what it cannot use and refuses single frames; it must
			// not invent a frame out of bytes that are none.
			if len(in.Frames.Frames) > 0 && len(in.Frames.Refused) == 0 && !strings.Contains(perr.Error(), "UTF-8") {
				t.Fatalf("accepted what protobuf refuses: %v", perr)
			}
			return
		}
		checkAgainstGenerated(t, in.Frames, generated.GetFrames())
	})
}

func checkAgainstGenerated(t *testing.T, got wire.Message, want *wirepb.Frames) {
	if n := len(got.Frames) + len(got.Refused); n != len(want.GetFrames()) {
		t.Fatalf("%d frames of %d", n, len(want.GetFrames()))
	}
	if len(got.Refused) > 0 {
		return
	}
	for i, f := range got.Frames {
		w := want.Frames[i]
		if f.BootID != w.BootId || f.Seq != w.Seq || int64(f.SentAt) != w.SentAtMs || len(f.Observations) != len(w.RssiCdbm) {
			t.Fatalf("frame %d: got %+v, want %v", i, f, w)
		}
		for k, d := range f.Details {
			if int(d.Index) >= len(f.Observations) || d.Battery > 100 || k > 0 && d.Index <= f.Details[k-1].Index {
				t.Fatalf("frame %d: details %v", i, f.Details)
			}
		}
		for k, o := range f.Observations {
			if w.RssiCdbm[k] > -32768 && w.RssiCdbm[k] < 32767 && int32(o.RSSI) != w.RssiCdbm[k] {
				t.Fatalf("frame %d observation %d: rssi %d, want %d", i, k, o.RSSI, w.RssiCdbm[k])
			}
		}
	}
}
