package wire_test

import (
	"testing"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// mallMessage is a message as a busy scanner sends it: 10 frames of 100
// observations of 40 transmitters.
func mallMessage() []byte {
	enc := wire.NewEncoder()
	var raw [][]byte
	for s := range 10 {
		f := schema.Frame{BootID: "boot-1", Seq: uint64(s + 1), SentAt: 1_767_225_600_000}
		for i := range 100 {
			f.Observations = append(f.Observations, schema.Observation{
				At: f.SentAt - schema.EventTime(i*10), Transmitter: schema.IBeacon([16]byte{1}, 1, uint16(i%40)), RSSI: schema.CentiDBm(-5000 - i),
			})
		}
		raw = append(raw, enc.AppendFrame(nil, f))
	}
	return wire.AppendFramesMessage(nil, raw...)
}

func BenchmarkDecodeMessage(b *testing.B) {
	msg, dec := mallMessage(), newDecoder()
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		if _, err := dec.Message(msg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "observations/s")
}

// One allocation for a frame's observations and the growth of the list of
// frames: nothing per observation.
func TestDecodeAllocations(t *testing.T) {
	msg, dec := mallMessage(), newDecoder()
	if n := testing.AllocsPerRun(100, func() { _, _ = dec.Message(msg) }); n > 16 {
		t.Errorf("decoding 10 frames allocates %v times, want at most 16", n)
	}
}
