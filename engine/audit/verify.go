package audit

import (
	"bytes"
	"fmt"
	"iter"
	"time"

	"mybeacon/schema"
)

// Head says how long a chain must be and how it must end.
type Head struct {
	Organisation schema.OrganisationID // zero: the system's chain
	Entries      int64
	At           time.Time
	Hash         []byte
}

// Fault is what happened to an entry.
type Fault string

// The faults.
const (
	Changed   Fault = "changed"   // it says something else than what was written
	Missing   Fault = "missing"   // it, or a run of entries from it on, was taken out
	Reordered Fault = "reordered" // it stands in another's place
	Cut       Fault = "cut"       // entries at the end are missing
	Added     Fault = "added"     // it was added past the end, or its chain is none of ours
)

// Broken is a place where a chain is broken.
type Broken struct {
	Organisation schema.OrganisationID `json:"organisation_id"` // empty: the system's chain
	Seq          int64                 `json:"entry"`           // number of the first entry concerned
	Fault        Fault                 `json:"fault"`
	Detail       string                `json:"detail"`
}

// Result is what a verification found.
type Result struct {
	Entries int64    // that there are
	Chains  int64    // that there are
	Broken  int64    // places found
	Details []Broken // the first [MaxDetails] of them
}

// MaxDetails bounds what is told of a log of which much is broken.
const MaxDetails = 1000

// verifier walks along the chains; it holds one entry at a time.
type verifier struct {
	heads  map[schema.OrganisationID]Head
	result Result

	open    bool
	last    Stored // of the chain being read
	suspect bool   // last is broken, so what follows cannot fit to it
}

// Verify reads the entries, which must come chain by chain and in the order of their
// numbers, and compares them with each other and with the heads. The error is that of
// reading.
func Verify(heads []Head, entries iter.Seq2[Stored, error]) (Result, error) {
	v := &verifier{heads: make(map[schema.OrganisationID]Head, len(heads))}
	for _, h := range heads {
		v.heads[h.Organisation] = h
	}
	v.result.Chains = int64(len(heads))
	for s, err := range entries {
		if err != nil {
			return v.result, err
		}
		v.take(s)
	}
	v.close()
	for _, h := range heads { // chains of which nothing is left
		if _, unread := v.heads[h.Organisation]; unread && h.Entries > 0 {
			v.report(h.Organisation, 1, Cut, fmt.Sprintf("all of the chain's %d entries are missing", h.Entries))
		}
	}
	return v.result, nil
}

func (v *verifier) take(s Stored) {
	v.result.Entries++
	if v.open && s.Organisation != v.last.Organisation {
		v.close()
	}
	if !v.open {
		v.open, v.suspect = true, false
		v.last = Stored{Body: Body{Organisation: s.Organisation}}
	}
	broken := v.judge(s)
	v.last, v.suspect = s, broken
}

// judge reports what is wrong with the entry in itself and in its place.
func (v *verifier) judge(s Stored) bool {
	gap := s.Seq != v.last.Seq+1
	if gap {
		v.report(s.Organisation, v.last.Seq+1, Missing, fmt.Sprintf("entries %d to %d are missing", v.last.Seq+1, s.Seq-1))
	}
	sum := s.sum()
	switch err := s.hides(); {
	case v.last.Seq > 0 && !s.At.After(v.last.At):
		v.report(s.Organisation, s.Seq, Reordered, "it is not later than the entry before it")
	case !bytes.Equal(sum[:], s.Hash):
		v.report(s.Organisation, s.Seq, Changed, "its hash does not fit what it says")
	case err != nil:
		v.report(s.Organisation, s.Seq, Changed, err.Error())
	case !gap && !v.suspect && !bytes.Equal(s.Previous, v.last.Hash):
		v.report(s.Organisation, max(v.last.Seq, 1), Changed, "it is not the entry that the next one was written after")
	default:
		return false
	}
	return true
}

// close compares the chain that was read with its head.
func (v *verifier) close() {
	if !v.open {
		return
	}
	v.open = false
	org, last := v.last.Organisation, v.last
	head, ok := v.heads[org]
	delete(v.heads, org)
	switch {
	case !ok:
		v.result.Chains++
		v.report(org, 1, Added, "the chain has entries but no head")
	case last.Seq < head.Entries:
		v.report(org, last.Seq+1, Cut, fmt.Sprintf("the chain ends at %d and must have %d entries", last.Seq, head.Entries))
	case last.Seq > head.Entries:
		v.report(org, head.Entries+1, Added, fmt.Sprintf("the chain goes on after its %d entries", head.Entries))
	case !bytes.Equal(last.Hash, head.Hash) && !v.suspect:
		v.report(org, last.Seq, Changed, "the chain does not end with the entry that it must")
	case !last.At.Equal(head.At) && !v.suspect:
		v.report(org, last.Seq, Changed, "the chain does not end when it must")
	}
}

func (v *verifier) report(org schema.OrganisationID, seq int64, fault Fault, detail string) {
	v.result.Broken++
	if len(v.result.Details) < MaxDetails {
		v.result.Details = append(v.result.Details, Broken{Organisation: org, Seq: seq, Fault: fault, Detail: detail})
	}
}
