package wire

import (
	"encoding/json"
	"math"
	"strconv"

	"mybeacon/schema"
)

// JSON reads the JSON form of a POST:
//
//	{"frames": [{"boot_id": "b1", "seq": 1, "sent_at": "2026-01-31T12:00:00.250Z",
//	  "observations": [{"at": "…", "tag": {"uuid": "…", "major": 1, "minor": 2}, "rssi_dbm": -61.5}]}]}
//
// A tag is {uuid, major, minor}, {mac} or {namespace, instance}; an observation
// without at takes its frame's sent_at and may carry battery_percent and address of
// the transmitter; device_id is optional in a frame and beside frames. Members nobody
// knows are skipped. The error is an [*Error] and nothing was taken then.
func (d *Decoder) JSON(b []byte) (Message, error) {
	if len(b) > d.limits.UnpackedBytes {
		return Message{}, refuse(MessageTooLarge, nil)
	}
	if tooDeep(b, d.limits.JSONDepth) {
		return Message{}, refuse(MessageTooDeep, nil)
	}
	if !json.Valid(b) {
		return Message{}, refuse(MessageMalformed, nil)
	}
	j := jsonMessage{d: d}
	top := trim(b)
	if top[0] != '{' {
		return Message{}, refuse(MessageMalformed, nil)
	}
	for key, value := range members(top) {
		switch key {
		case "device_id":
			j.foreign = !d.ownDevice(value)
		case "frames":
			if value[0] != '[' {
				return Message{}, refuse(MessageMalformed, nil)
			}
			j.frames = value
		}
	}
	if j.frames == nil {
		return Message{}, refuse(MessageMalformed, nil)
	}
	if reason := j.read(); reason != 0 {
		return Message{}, refuse(reason, nil)
	}
	return j.out, nil
}

// jsonMessage is one message while it is read.
type jsonMessage struct {
	d            *Decoder
	frames       []byte
	foreign      bool // the whole message names another device
	out          Message
	observations int
}

func (j *jsonMessage) read() Reason {
	n := 0
	for raw := range elements(j.frames) {
		if n++; n > j.d.limits.Frames {
			return TooManyFrames
		}
		f, reason := j.frame(raw)
		if reason == TooManyObservations {
			return reason
		}
		if reason != 0 {
			j.out.Refused = append(j.out.Refused, Rejection{BootID: f.BootID, Seq: f.Seq, Index: WholeFrame, Reason: reason})
			continue
		}
		j.out.Frames = append(j.out.Frames, f)
	}
	return 0
}

func (j *jsonMessage) frame(raw []byte) (f schema.Frame, reason Reason) {
	if raw[0] != '{' {
		return f, FrameMalformed
	}
	var observations []byte
	foreign := j.foreign
	for key, value := range members(raw) {
		var failed Reason
		switch key {
		case "boot_id":
			f.BootID, failed = bootID(value)
		case "seq":
			f.Seq, failed = seq(value)
		case "sent_at":
			if f.SentAt.UnmarshalJSON(value) != nil {
				failed = SentAtInvalid
			}
		case "observations":
			observations = value
		case "device_id":
			foreign = foreign || !j.d.ownDevice(value)
		}
		if reason == 0 {
			reason = failed
		}
	}
	if reason == 0 {
		reason = firstReason(f, foreign)
	}
	if reason != 0 {
		return f, reason
	}
	f.Observations, f.Details, reason = j.list(observations, f.SentAt)
	return f, reason
}

func firstReason(f schema.Frame, foreign bool) Reason {
	switch {
	case f.BootID == "":
		return BootIDInvalid
	case f.Seq == 0:
		return SeqInvalid
	case foreign:
		return DeviceForeign
	default:
		return 0
	}
}

func bootID(value []byte) (string, Reason) {
	var s string
	if len(value) > 6*64+2 || json.Unmarshal(value, &s) != nil || !ValidBootID(s) {
		return "", BootIDInvalid
	}
	return s, 0
}

func seq(value []byte) (uint64, Reason) {
	v, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil {
		return 0, SeqInvalid
	}
	return v, 0
}

func (d *Decoder) ownDevice(value []byte) bool {
	var s string
	if len(value) > 64 || json.Unmarshal(value, &s) != nil {
		return false
	}
	id, err := schema.ParseID[schema.DeviceID](s)
	return err == nil && id == d.device
}

func (j *jsonMessage) list(raw []byte, sentAt schema.EventTime) (out []schema.Observation, details []schema.Detail, reason Reason) {
	if raw == nil || string(raw) == "null" {
		return nil, nil, 0
	}
	if raw[0] != '[' {
		return nil, nil, FrameMalformed
	}
	for value := range elements(raw) {
		if len(out) == j.d.limits.FrameLength {
			return nil, nil, FrameTooLong
		}
		if j.observations++; j.observations > j.d.limits.Observations {
			return nil, nil, TooManyObservations
		}
		heard, more := observation(value, sentAt)
		if detail, ok := more.detail(len(out)); ok {
			details = append(details, detail)
		}
		out = append(out, heard)
	}
	return out, details, 0
}

type jsonObservation struct {
	At   json.RawMessage `json:"at"`
	Tag  *jsonTag        `json:"tag"`
	RSSI *float64        `json:"rssi_dbm"`
	jsonDetail
}

// jsonDetail is read as it comes: what cannot be is passed over, and the observation
// stands.
type jsonDetail struct {
	Battery json.RawMessage `json:"battery_percent"`
	Address json.RawMessage `json:"address"`
}

func (j jsonDetail) detail(index int) (schema.Detail, bool) {
	if j.Battery == nil && j.Address == nil {
		return schema.Detail{}, false
	}
	battery := uint64(math.MaxUint64)
	var percent float64
	if json.Unmarshal(j.Battery, &percent) == nil && percent >= 0 && percent <= 100 && string(j.Battery) != "null" {
		battery = uint64(math.Round(percent))
	}
	var text string
	var address []byte
	if json.Unmarshal(j.Address, &text) == nil {
		if a, err := schema.ParseAddress(text); err == nil {
			address = a[:]
		}
	}
	return detailOf(uint64(index), battery, address)
}

type jsonTag struct {
	UUID      string `json:"uuid"`
	Major     *int64 `json:"major"`
	Minor     *int64 `json:"minor"`
	MAC       string `json:"mac"`
	Namespace string `json:"namespace"`
	Instance  string `json:"instance"`
}

// observation reads one observation; one that cannot be read keeps its place.
func observation(value []byte, sentAt schema.EventTime) (schema.Observation, jsonDetail) {
	var o jsonObservation
	if value[0] != '{' || json.Unmarshal(value, &o) != nil || o.Tag == nil || o.RSSI == nil {
		return schema.Observation{At: MalformedObs, RSSI: NoRSSI}, jsonDetail{}
	}
	at := sentAt
	if len(o.At) > 0 && string(o.At) != "null" && at.UnmarshalJSON(o.At) != nil {
		return schema.Observation{At: MalformedObs, RSSI: NoRSSI}, jsonDetail{}
	}
	cdbm := math.Round(*o.RSSI * 100)
	if math.Abs(cdbm) > math.MaxInt16 {
		cdbm = math.MaxInt16
	}
	return schema.Observation{At: at, Transmitter: o.Tag.transmitter(), RSSI: centiDBm(int64(cdbm))}, o.jsonDetail
}

// transmitter returns the identity, or zero when the members name none or more
// than one.
func (t *jsonTag) transmitter() schema.Transmitter {
	var text string
	switch {
	case t.UUID != "" && t.MAC == "" && t.Namespace == "" && t.Major != nil && t.Minor != nil:
		text = "ibeacon:" + t.UUID + "/" + strconv.FormatInt(*t.Major, 10) + "/" + strconv.FormatInt(*t.Minor, 10)
	case t.MAC != "" && t.UUID == "" && t.Namespace == "":
		text = "mac:" + t.MAC
	case t.Namespace != "" && t.UUID == "" && t.MAC == "":
		text = "eddystone:" + t.Namespace + "/" + t.Instance
	default:
		return schema.Transmitter{}
	}
	v, err := schema.ParseTransmitter(text)
	if err != nil {
		return schema.Transmitter{}
	}
	return v
}
