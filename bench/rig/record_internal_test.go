package rig

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// A warehouse that has everything once is right; what is taken out, altered or put
// in twice is found.
func TestRecordFindsWhatIsWrong(t *testing.T) {
	life := Life{Tags: 3, Seed: 1}
	devices := make([]provision.Device, 14)
	for i := range devices {
		devices[i].ID = schema.NewID[schema.DeviceID]()
	}
	r, err := NewRecord(life, devices, 10)
	if err != nil {
		t.Fatal(err)
	}
	row := func(receiver, frame, i int, shift int64) string {
		h := r.frames[receiver][frame][i]
		return fmt.Sprintf("%v\t%d\t%d\t%d\t%d", devices[receiver].ID, frame+1, i, int64(h.at)+shift, h.rssi)
	}
	total := 0
	for receiver, frames := range r.frames {
		for frame := range frames {
			for i := range frames[frame] {
				total++
				shift := int64(0)
				if total == 7 {
					continue // missing
				}
				if total == 11 {
					shift = 1 // stored, but with another time: missing too
				}
				if err := r.row([]byte(row(receiver, frame, i, shift))); err != nil {
					t.Fatal(err)
				}
				if total == 5 { // stored under two times
					if err := r.row([]byte(row(receiver, frame, i, 1000))); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	missing, twice := 0, 0
	for _, frames := range r.frames {
		for _, frame := range frames {
			for i := range frame {
				if frame[i].rows == 0 {
					missing++
				}
				twice += max(frame[i].rows+frame[i].odd-1, 0)
			}
		}
	}
	if total < 100 || missing != 2 || twice != 1 {
		t.Errorf("of %d: %d missing and %d twice, want 2 and 1", total, missing, twice)
	}
	for _, line := range []string{
		"", "a\tb\tc\td\te", row(0, prelude, 0, 0) + "\t1",
		fmt.Sprintf("%v\t1\t0\t0\t0", schema.NewID[schema.DeviceID]()),
		fmt.Sprintf("%v\t11\t0\t0\t0", devices[0].ID), fmt.Sprintf("%v\t0\t0\t0\t0", devices[0].ID),
		fmt.Sprintf("%v\t1\t65535\t0\t0", devices[0].ID),
	} {
		if err := r.row([]byte(line)); err == nil {
			t.Errorf("%q was taken for a row that was sent", line)
		}
	}
}

func TestUnmatched(t *testing.T) {
	want := []Visit{{"anna", "hall", 1000, 9000}, {"anna", "hall", 20_000, 0}, {"bob", "hall", 1000, 9000}}
	f := func(name string, lone int, got ...Visit) {
		t.Helper()
		if n := len(unmatched(want, got)); n != lone {
			t.Errorf("%s: %d without a match, want %d", name, n, lone)
		}
	}
	f("the same", 0, want...)
	f("nothing", 3)
	f("within two seconds", 0, Visit{"anna", "hall", 3000, 7000}, Visit{"anna", "hall", 18_000, 0}, Visit{"bob", "hall", 1000, 11_000})
	f("beyond them", 1, want[0], want[1], Visit{"bob", "hall", 3001, 9000})
	f("another zone or tag", 2, Visit{"anna", "store", 1000, 9000}, want[1], Visit{"eve", "hall", 1000, 9000})
	f("closed instead of open", 1, want[0], Visit{"anna", "hall", 20_000, 1500}, want[2])
	f("one stay for two", 2, Visit{"anna", "hall", 1000, 9000})
	f("split in two", 1, Visit{"anna", "hall", 1000, 4000}, Visit{"anna", "hall", 5000, 9000}, want[1], want[2])
}

func TestLinesAreCut(t *testing.T) {
	var got []string
	w := &lineWriter{line: func(b []byte) error { got = append(got, string(b)); return nil }}
	for _, part := range []string{"one\ntw", "", "o\n\nthr", "ee\n"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if strings.Join(got, "|") != "one|two||three" || len(w.rest) > 0 {
		t.Errorf("got %q and the rest %q", got, w.rest)
	}
	w.line = func([]byte) error { return errors.New("no") }
	if _, err := w.Write([]byte("x\n")); err == nil {
		t.Error("the error was lost")
	}
}
