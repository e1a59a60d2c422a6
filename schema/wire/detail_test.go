package wire_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// detailed is a frame in which two of three observations say more.
func detailed() schema.Frame {
	f := schema.Frame{BootID: "b", Seq: 1, SentAt: 1_767_225_600_000, Details: []schema.Detail{
		{Index: 0, Battery: 0, Address: schema.Address{0xaa, 1, 2, 3, 4, 5}}, {Index: 2, Battery: 100},
	}}
	for i := range 3 {
		f.Observations = append(f.Observations, schema.Observation{At: f.SentAt, Transmitter: schema.IBeacon([16]byte{1}, 1, uint16(i)), RSSI: -6000})
	}
	return f
}

// Battery and address come through both forms; a frame without them has the bytes that
// it had before there were any.
func TestDetails(t *testing.T) {
	want := detailed()
	raw := wire.NewEncoder().AppendFrame(nil, want)
	got, err := newDecoder().Frames(wire.AppendFrames(nil, raw))
	if diff := cmp.Diff(wire.Message{Frames: []schema.Frame{want}}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	text := `{"frames":[{"boot_id":"b","seq":1,"sent_at":"2026-01-01T00:00:00Z","observations":[%s,%s,%s]}]}`
	one := `{"tag":{"uuid":"01000000-0000-0000-0000-000000000000","major":1,"minor":%d},"rssi_dbm":-60%s}`
	body := fmt.Sprintf(text, fmt.Sprintf(one, 0, `,"battery_percent":0,"address":"AA:01:02:03:04:05"`), fmt.Sprintf(one, 1, ""), fmt.Sprintf(one, 2, `,"battery_percent":99.6`))
	got, err = newDecoder().JSON([]byte(body))
	if diff := cmp.Diff(wire.Message{Frames: []schema.Frame{want}}, got); diff != "" || err != nil {
		t.Errorf("JSON: %v\n%s", err, diff)
	}
	bare := want
	bare.Details = nil
	if plain := wire.NewEncoder().AppendFrame(nil, bare); string(plain) != string(raw[:len(plain)]) {
		t.Error("details changed the bytes before them, which older servers read")
	}
}

// What cannot be is passed over, and the observation stands.
func TestDetailsThatCannotBe(t *testing.T) {
	percent := func(n uint32) *uint32 { return &n }
	frame := goodFrame()
	frame.Details = []*wirepb.Detail{
		{Observation: 7, BatteryPercent: percent(50)}, // no such observation
		{Observation: 1, BatteryPercent: percent(101), Address: []byte{1, 2, 3, 4, 5, 6}},
		{Observation: 1, BatteryPercent: percent(50)}, // the second of one observation
		{Observation: 0, BatteryPercent: percent(255), Address: []byte{1}},
		{Observation: 1 << 20, BatteryPercent: percent(1)},
	}
	got, err := newDecoder().Frames(marshal(t, &wirepb.Frames{Frames: []*wirepb.Frame{frame}}))
	want := []schema.Detail{{Index: 1, Battery: schema.NoBattery, Address: schema.Address{1, 2, 3, 4, 5, 6}}}
	if err != nil || len(got.Refused) > 0 || len(got.Frames) != 1 || len(got.Frames[0].Observations) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if diff := cmp.Diff(want, got.Frames[0].Details); diff != "" {
		t.Error(diff)
	}
	for _, odd := range []string{`"battery_percent":"full"`, `"battery_percent":null`, `"battery_percent":-1`, `"address":17`, `"address":"here"`, `"battery_percent":{}`} {
		body := `{"frames":[{"boot_id":"b","seq":1,"sent_at":"2026-01-01T00:00:00Z","observations":[{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-1,` + odd + `}]}]}`
		got, err := newDecoder().JSON([]byte(body))
		if err != nil || len(got.Frames) != 1 || got.Frames[0].Observations[0].RSSI != -100 || got.Frames[0].Details != nil {
			t.Errorf("%s: %+v, %v", odd, got, err)
		}
	}
}
