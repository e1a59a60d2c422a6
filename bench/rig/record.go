package rig

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"mybeacon/bench/load"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// Record is every observation that was sent, and how many rows the warehouse has of
// each that are right.
type Record struct {
	devices map[schema.DeviceID]int
	frames  [][][]heard // per receiver and frame, the first has the number 1
}

type heard struct {
	at   schema.EventTime
	rssi schema.CentiDBm
	rows int // as sent
	odd  int // with another time or level
}

// NewRecord lets the site live once more, for so many seconds.
func NewRecord(life Life, devices []provision.Device, seconds int) (*Record, error) {
	world, err := life.World()
	if err != nil {
		return nil, err
	}
	r := &Record{devices: map[schema.DeviceID]int{}, frames: make([][][]heard, len(devices))}
	for i, d := range devices {
		r.devices[d.ID] = i
	}
	for n := range seconds {
		for _, out := range Step(world, n) {
			frame := make([]heard, len(out.Frame.Observations))
			for i, o := range out.Frame.Observations {
				frame[i] = heard{at: o.At, rssi: o.RSSI}
			}
			r.frames[out.Receiver] = append(r.frames[out.Receiver], frame)
		}
	}
	return r, nil
}

const rowsSQL = `SELECT device, seq, idx, toUnixTimestamp64Milli(at), rssi_cdbm FROM observations FINAL WHERE boot_id = '` + BootID + `'`

// Read takes in the rows of the running server's warehouse.
func (r *Record) Read(ctx context.Context, s *Server) error { return s.Ask(ctx, rowsSQL, r.row) }

// row takes in one line of the answer. One that was never sent is an error: nobody
// else sends.
func (r *Record) row(line []byte) error {
	cells := bytes.Split(line, []byte{'\t'})
	if len(cells) != 5 {
		return fmt.Errorf("%q is no row of observations", line)
	}
	var n [4]int64
	id, err := schema.ParseID[schema.DeviceID](string(cells[0]))
	for i := range n {
		if err == nil {
			n[i], err = strconv.ParseInt(string(cells[i+1]), 10, 64)
		}
	}
	if err != nil {
		return fmt.Errorf("%q is no row of observations: %w", line, err)
	}
	h := r.find(id, n[0], n[1])
	if h == nil {
		return fmt.Errorf("the warehouse has an observation that was never sent: %s", line)
	}
	if h.at == schema.EventTime(n[2]) && h.rssi == schema.CentiDBm(n[3]) {
		h.rows++
	} else {
		h.odd++
	}
	return nil
}

func (r *Record) find(id schema.DeviceID, seq, idx int64) *heard {
	receiver, known := r.devices[id]
	if !known || seq < 1 || seq > int64(len(r.frames[receiver])) {
		return nil
	}
	frame := r.frames[receiver][seq-1]
	if idx < 0 || idx >= int64(len(frame)) {
		return nil
	}
	return &frame[idx]
}

// Tally is what a comparison says, in observations.
type Tally struct {
	Acked      int
	Missing    int // of these
	Duplicated int // rows too many
}

// Count compares with what was acknowledged.
func (r *Record) Count(fleet *load.Fleet) (f Tally) {
	for receiver, frames := range r.frames {
		for _, acked := range fleet.Acked(receiver) {
			for seq := acked.From; seq <= min(acked.To, uint64(len(frames))); seq++ {
				for i := range frames[seq-1] {
					f.Acked++
					if frames[seq-1][i].rows == 0 {
						f.Missing++
					}
				}
			}
		}
		for _, frame := range frames {
			for i := range frame {
				f.Duplicated += max(frame[i].rows+frame[i].odd-1, 0)
			}
		}
	}
	return f
}

// Visit is one stay as analysts see it.
type Visit struct {
	tag, zone     string
	entered, left int64 // ms; left is 0 while it is open
}

const visitsSQL = `SELECT tag_name, zone_name, toUnixTimestamp64Milli(entered_at), ifNull(toUnixTimestamp64Milli(left_at), 0) FROM visits ORDER BY entered_at`

// Visits reads the running server's visits.
func Visits(ctx context.Context, s *Server) (list []Visit, err error) {
	err = s.Ask(ctx, visitsSQL, func(line []byte) error {
		cells := bytes.Split(line, []byte{'\t'})
		if len(cells) != 4 {
			return fmt.Errorf("%q is no visit", line)
		}
		v := Visit{tag: string(cells[0]), zone: string(cells[1])}
		var err error
		if v.entered, err = strconv.ParseInt(string(cells[2]), 10, 64); err == nil {
			v.left, err = strconv.ParseInt(string(cells[3]), 10, 64)
		}
		list = append(list, v)
		return err
	})
	return list, err
}

// tolerance is by how much the ends of two visits may differ, in ms.
const tolerance = 2000

// same reports whether both are one stay.
func (v Visit) same(o Visit) bool {
	near := func(a, b int64) bool { return max(a, b)-min(a, b) <= tolerance }
	return v.tag == o.tag && v.zone == o.zone && near(v.entered, o.entered) && (v.left == 0) == (o.left == 0) && near(v.left, o.left)
}

// unmatched returns those of want that have no partner of their own in got.
func unmatched(want, got []Visit) (lone []Visit) {
	free := slices.Clone(got)
	for _, v := range want {
		i := slices.IndexFunc(free, v.same)
		if i < 0 {
			lone = append(lone, v)
			continue
		}
		free = slices.Delete(free, i, i+1)
	}
	return lone
}
