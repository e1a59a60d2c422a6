package wire

import (
	"fmt"
	"slices"
)

// MaxAckRanges is how many ranges of one boot an ack may hold.
const MaxAckRanges = 64

// SeqRange names the frames From…To of a boot, both inclusive, From >= 1.
type SeqRange struct {
	From, To uint64
}

// BootRange is a range of the boot.
type BootRange struct {
	BootID string
	SeqRange
}

// SeqSet is a set of sequence numbers, kept as sorted, disjoint ranges that do
// not touch. The zero value is empty. It is not safe for concurrent use.
type SeqSet struct {
	ranges []SeqRange
}

// Len returns the number of ranges, which is what the set costs.
func (s *SeqSet) Len() int { return len(s.ranges) }

// Ranges returns the ranges in ascending order; the caller must not change them
// and they are valid until the next change of the set.
func (s *SeqSet) Ranges() []SeqRange { return s.ranges }

// Count returns how many numbers are in the set.
func (s *SeqSet) Count() uint64 {
	var n uint64
	for _, r := range s.ranges {
		n += r.To - r.From + 1
	}
	return n
}

// at returns the index of the first range whose To is >= seq.
func (s *SeqSet) at(seq uint64) int {
	// Frames mostly arrive in order: the answer is then the last range, or none.
	if n := len(s.ranges); n == 0 || s.ranges[n-1].To < seq {
		return n
	}
	i, _ := slices.BinarySearchFunc(s.ranges, seq, func(r SeqRange, seq uint64) int {
		if r.To < seq {
			return -1
		}
		return 1
	})
	return i
}

// Contains reports whether seq is in the set.
func (s *SeqSet) Contains(seq uint64) bool {
	i := s.at(seq)
	return i < len(s.ranges) && s.ranges[i].From <= seq
}

// Containing returns the range that holds seq.
func (s *SeqSet) Containing(seq uint64) (SeqRange, bool) {
	i := s.at(seq)
	if i < len(s.ranges) && s.ranges[i].From <= seq {
		return s.ranges[i], true
	}
	return SeqRange{}, false
}

// Add puts the range into the set.
func (s *SeqSet) Add(r SeqRange) {
	if r.From == 0 || r.To < r.From {
		panic(fmt.Sprintf("BUG: seq range %d…%d", r.From, r.To))
	}
	// The ranges i…j-1 overlap or touch r and melt into it. From-1 cannot wrap.
	i := s.at(r.From - 1)
	j := i
	for j < len(s.ranges) && (r.To == ^uint64(0) || s.ranges[j].From <= r.To+1) {
		r.From = min(r.From, s.ranges[j].From)
		r.To = max(r.To, s.ranges[j].To)
		j++
	}
	if j == i+1 {
		s.ranges[i] = r
		return
	}
	s.ranges = slices.Replace(s.ranges, i, j, r)
}

// Remove takes one number out of the set.
func (s *SeqSet) Remove(seq uint64) {
	i := s.at(seq)
	if i == len(s.ranges) || s.ranges[i].From > seq {
		return
	}
	r := s.ranges[i]
	var left []SeqRange
	if r.From < seq {
		left = append(left, SeqRange{r.From, seq - 1})
	}
	if seq < r.To {
		left = append(left, SeqRange{seq + 1, r.To})
	}
	s.ranges = slices.Replace(s.ranges, i, i+1, left...)
}

// Trim forgets the lowest ranges until at most n are left and returns how many
// it forgot. A set that remembers too little makes a frame be stored twice under
// one key, which changes nothing; one that claimed too much would lose it.
func (s *SeqSet) Trim(n int) int {
	drop := len(s.ranges) - n
	if drop <= 0 {
		return 0
	}
	s.ranges = slices.Delete(s.ranges, 0, drop)
	return drop
}

// TrimAround forgets ranges until at most n are left, those first that lie
// farthest from seq: a device that works off its backlog below what it sent last
// must not find that forgotten which it is told next. It returns how many it
// forgot.
func (s *SeqSet) TrimAround(n int, seq uint64) int {
	drop := len(s.ranges) - n
	if drop <= 0 {
		return 0
	}
	at := s.at(seq)
	low := min(max(at-n/2, 0), drop)
	s.ranges = slices.Delete(s.ranges, 0, low)
	s.ranges = slices.Delete(s.ranges, n, len(s.ranges))
	return drop
}

// RemoveTo takes all numbers up to and including seq out of the set.
func (s *SeqSet) RemoveTo(seq uint64) {
	i := s.at(seq)
	if i < len(s.ranges) && s.ranges[i].From <= seq {
		if s.ranges[i].To > seq {
			s.ranges[i].From = seq + 1
		} else {
			i++
		}
	}
	s.ranges = slices.Delete(s.ranges, 0, i)
}
