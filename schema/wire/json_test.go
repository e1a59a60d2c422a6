package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

const goodJSON = `{"frames":[{"boot_id":"b1","seq":3,"sent_at":"2026-01-31T12:00:00.250Z","observations":[
  {"at":"2026-01-31T12:00:00Z","tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":2},"rssi_dbm":-61.5},
  {"tag":{"mac":"AA:bb:cc:dd:ee:ff"},"rssi_dbm":-70},
  {"tag":{"namespace":"00010203040506070809","instance":"0a0b0c0d0e0f"},"rssi_dbm":-80.004,"note":{"x":[1,{"y":2}]}}]}]}`

func TestJSON(t *testing.T) {
	msg, err := newDecoder().JSON([]byte(goodJSON))
	if err != nil || len(msg.Refused) > 0 {
		t.Fatal(err, msg.Refused)
	}
	sent := schema.EventTime(1_769_860_800_250)
	id := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	want := []schema.Frame{{BootID: "b1", Seq: 3, SentAt: sent, Observations: []schema.Observation{
		{At: sent - 250, Transmitter: schema.IBeacon(id, 1, 2), RSSI: -6150},
		{At: sent, Transmitter: schema.MACTransmitter([6]byte{0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}), RSSI: -7000},
		{At: sent, Transmitter: schema.Transmitter{Kind: schema.TransmitterEddystoneUID, ID: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}, RSSI: -8000},
	}}}
	if diff := cmp.Diff(want, msg.Frames); diff != "" {
		t.Error(diff)
	}
}

func TestJSONFrameRefusals(t *testing.T) {
	f := func(frame string, want wire.Rejection) {
		t.Helper()
		ok := `{"boot_id":"b","seq":1,"sent_at":"2026-01-01T00:00:00Z"}`
		msg, err := newDecoder().JSON([]byte(`{"frames":[` + ok + `,` + frame + `,` + ok + `]}`))
		if err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		want.Index = wire.WholeFrame
		if len(msg.Frames) != 2 {
			t.Errorf("%s: kept %d frames", frame, len(msg.Frames))
		}
		if diff := cmp.Diff([]wire.Rejection{want}, msg.Refused); diff != "" {
			t.Errorf("%s: %s", frame, diff)
		}
	}
	f(`7`, wire.Rejection{Reason: wire.FrameMalformed})
	f(`[]`, wire.Rejection{Reason: wire.FrameMalformed})
	f(`{}`, wire.Rejection{Reason: wire.BootIDInvalid})
	f(`{"boot_id":"a/b","seq":4}`, wire.Rejection{Seq: 4, Reason: wire.BootIDInvalid})
	f(`{"boot_id":5,"seq":4}`, wire.Rejection{Seq: 4, Reason: wire.BootIDInvalid})
	f(`{"boot_id":"b"}`, wire.Rejection{BootID: "b", Reason: wire.SeqInvalid})
	f(`{"boot_id":"b","seq":-4}`, wire.Rejection{BootID: "b", Reason: wire.SeqInvalid})
	f(`{"boot_id":"b","seq":1.5}`, wire.Rejection{BootID: "b", Reason: wire.SeqInvalid})
	f(`{"boot_id":"b","seq":18446744073709551616}`, wire.Rejection{BootID: "b", Reason: wire.SeqInvalid})
	f(`{"boot_id":"b","seq":4,"sent_at":"yesterday"}`, wire.Rejection{BootID: "b", Seq: 4, Reason: wire.SentAtInvalid})
	f(`{"boot_id":"b","seq":4,"observations":{}}`, wire.Rejection{BootID: "b", Seq: 4, Reason: wire.FrameMalformed})
	f(`{"boot_id":"b","seq":4,"device_id":"00000000-0000-0000-0000-000000000009"}`, wire.Rejection{BootID: "b", Seq: 4, Reason: wire.DeviceForeign})
	f(`{"boot_id":"b","seq":4,"device_id":7}`, wire.Rejection{BootID: "b", Seq: 4, Reason: wire.DeviceForeign})
	f(`{"boot_id":"b","seq":4,"observations":[`+strings.Repeat(`0,`, 10_000)+`0]}`, wire.Rejection{BootID: "b", Seq: 4, Reason: wire.FrameTooLong})
}

func TestJSONOwnDeviceIsAccepted(t *testing.T) {
	body := fmt.Sprintf(`{"device_id":%q,"frames":[{"boot_id":"b","seq":4,"device_id":%q}]}`, device, device)
	msg, err := newDecoder().JSON([]byte(body))
	if err != nil || len(msg.Frames) != 1 {
		t.Errorf("%+v %v", msg, err)
	}
	msg, err = newDecoder().JSON([]byte(`{"frames":[{"boot_id":"b","seq":4}],"device_id":"x"}`))
	if err != nil || len(msg.Frames) != 0 || len(msg.Refused) != 1 {
		t.Errorf("a message for another device: %+v %v", msg, err)
	}
}

func TestJSONObservations(t *testing.T) {
	f := func(observation string, want schema.Observation) {
		t.Helper()
		good := `{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-50}`
		msg, err := newDecoder().JSON([]byte(`{"frames":[{"boot_id":"b","seq":4,"observations":[` + good + `,` + observation + `,` + good + `]}]}`))
		if err != nil || len(msg.Frames) != 1 {
			t.Fatalf("%s: %v", observation, err)
		}
		obs := msg.Frames[0].Observations
		if len(obs) != 3 || obs[2] != obs[0] || obs[2].RSSI != -5000 {
			t.Fatalf("%s: its neighbours became %v", observation, obs)
		}
		if obs[1] != want {
			t.Errorf("%s: got %+v, want %+v", observation, obs[1], want)
		}
	}
	malformed := schema.Observation{At: wire.MalformedObs, RSSI: wire.NoRSSI}
	f(`null`, malformed)
	f(`"x"`, malformed)
	f(`{"tag":{"mac":"00:00:00:00:00:01"}}`, malformed)
	f(`{"rssi_dbm":-50}`, malformed)
	f(`{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":"loud"}`, malformed)
	f(`{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":1e999}`, malformed)
	f(`{"at":"soon","tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-50}`, malformed)
	f(`{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":127}`, schema.Observation{Transmitter: schema.MACTransmitter([6]byte{0, 0, 0, 0, 0, 1}), RSSI: wire.AirAbsent})
	f(`{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-1e300}`, schema.Observation{Transmitter: schema.MACTransmitter([6]byte{0, 0, 0, 0, 0, 1}), RSSI: wire.OutsideRSSI})
	f(`{"tag":{"mac":"1"},"rssi_dbm":-50}`, schema.Observation{RSSI: -5000})
	f(`{"tag":{},"rssi_dbm":-50}`, schema.Observation{RSSI: -5000})
	f(`{"tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1},"rssi_dbm":-50}`, schema.Observation{RSSI: -5000})
	f(`{"tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":70000},"rssi_dbm":-50}`, schema.Observation{RSSI: -5000})
	f(`{"tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":7,"mac":"00:00:00:00:00:01"},"rssi_dbm":-50}`, schema.Observation{RSSI: -5000})
}

func TestJSONMessageRefusals(t *testing.T) {
	f := func(body string, want wire.Reason) {
		t.Helper()
		_, err := newDecoder().JSON([]byte(body))
		var e *wire.Error
		if !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%.40s: %v, want %v", body, err, want)
		}
	}
	f(``, wire.MessageMalformed)
	f(`[]`, wire.MessageMalformed)
	f(`{}`, wire.MessageMalformed)
	f(`{"frames":{}}`, wire.MessageMalformed)
	f(goodJSON[:len(goodJSON)-1], wire.MessageMalformed)
	f(goodJSON+"x", wire.MessageMalformed)
	f(`{"frames":`+strings.Repeat("[", 100_000), wire.MessageTooDeep)
	f(`{"frames":[`+strings.Repeat(`{},`, 1000)+`{}]}`, wire.TooManyFrames)
	long := `{"boot_id":"b","seq":1,"observations":[` + strings.Repeat(`0,`, 9999) + `0]},`
	f(`{"frames":[`+strings.Repeat(long, 10)+strings.TrimSuffix(long, ",")+`]}`, wire.TooManyObservations)
	f(`{"frames":[]}`+strings.Repeat(" ", 8<<20), wire.MessageTooLarge)
}

// The splitter and encoding/json see the same document.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(goodJSON))
	f.Add([]byte(`{"frames":[]}`))
	f.Add([]byte(`{"frames":[{"boot_id":"b","seq":1,"observations":[{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-1}]}]}`))
	f.Add([]byte(`{"frames":[{"boot_id":"b","seq":1,"observations":[{"tag":{"mac":"00:00:00:00:00:01"},"rssi_dbm":-1,"battery_percent":50,"address":"00:00:00:00:00:01"}]}]}`))
	f.Add([]byte(` { "a\"b" : [ "]" , {"}":1} ] , "frames" : [ 1 , "x,]" , {} ] } `))
	f.Fuzz(func(t *testing.T, b []byte) {
		msg, err := newDecoder().JSON(b)
		if err != nil {
			return
		}
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		var list []json.RawMessage
		if json.Unmarshal(doc["frames"], &list) == nil && len(list) != len(msg.Frames)+len(msg.Refused) {
			t.Fatalf("%d frames became %d and %d refusals", len(list), len(msg.Frames), len(msg.Refused))
		}
		for _, fr := range msg.Frames {
			if !wire.ValidBootID(fr.BootID) || fr.Seq == 0 {
				t.Fatalf("bad frame got through: %+v", fr)
			}
		}
	})
}

// A frame says the same in both forms.
func TestJSONAndProtobufAgree(t *testing.T) {
	fromJSON, err := newDecoder().JSON([]byte(goodJSON))
	if err != nil {
		t.Fatal(err)
	}
	enc := wire.NewEncoder()
	fromPB, err := newDecoder().Frames(wire.AppendFrames(nil, enc.AppendFrame(nil, fromJSON.Frames[0])))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromJSON, fromPB, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
