package wire_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/schema/wire"
)

// The set behaves as a map of numbers does, and its ranges stay sorted and apart.
func TestSeqSetAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set wire.SeqSet
		model := map[uint64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				from := rapid.Uint64Range(1, 60).Draw(t, "from")
				to := from + rapid.Uint64Range(0, 6).Draw(t, "more")
				set.Add(wire.SeqRange{From: from, To: to})
				for n := from; n <= to; n++ {
					model[n] = true
				}
			},
			"remove": func(t *rapid.T) {
				n := rapid.Uint64Range(1, 60).Draw(t, "n")
				set.Remove(n)
				delete(model, n)
			},
			"remove_to": func(t *rapid.T) {
				n := rapid.Uint64Range(1, 60).Draw(t, "n")
				set.RemoveTo(n)
				for i := range n + 1 {
					delete(model, i)
				}
			},
			"": func(t *rapid.T) { checkSeqSet(t, &set, model) },
		})
	})
}

func checkSeqSet(t *rapid.T, set *wire.SeqSet, model map[uint64]bool) {
	if set.Count() != uint64(len(model)) {
		t.Fatalf("count %d, want %d: %v", set.Count(), len(model), set.Ranges())
	}
	for n := range uint64(70) {
		if set.Contains(n) != model[n] {
			t.Fatalf("contains %d = %v: %v", n, set.Contains(n), set.Ranges())
		}
		if r, ok := set.Containing(n); ok != model[n] || ok && (r.From > n || r.To < n) {
			t.Fatalf("containing %d = %v %v", n, r, ok)
		}
	}
	for i, r := range set.Ranges() {
		if r.From > r.To || i > 0 && r.From <= set.Ranges()[i-1].To+1 {
			t.Fatalf("ranges overlap or touch: %v", set.Ranges())
		}
	}
}

func TestSeqSetEdges(t *testing.T) {
	var set wire.SeqSet
	top := ^uint64(0)
	set.Add(wire.SeqRange{From: top, To: top})
	set.Add(wire.SeqRange{From: 1, To: 1})
	set.Add(wire.SeqRange{From: 5, To: top})
	if diff := cmp.Diff([]wire.SeqRange{{From: 1, To: 1}, {From: 5, To: top}}, set.Ranges()); diff != "" {
		t.Error(diff)
	}
	if n := set.Trim(1); n != 1 || set.Contains(1) || !set.Contains(top) {
		t.Errorf("trim forgot %d: %v", n, set.Ranges())
	}
	defer func() {
		if recover() == nil {
			t.Error("an empty range was accepted")
		}
	}()
	set.Add(wire.SeqRange{From: 2, To: 1})
}

func TestReasonsAreCompleteAndDistinct(t *testing.T) {
	names := map[string]bool{}
	last := wire.Reason(0)
	for _, r := range wire.Reasons() {
		if r <= last {
			t.Errorf("%d is out of order", r)
		}
		if r.String() == "unknown" || r.Text() == "" || names[r.String()] {
			t.Errorf("%d: name %q, text %q", r, r, r.Text())
		}
		names[r.String()], last = true, r
	}
	if wire.Reason(999).String() != "unknown" {
		t.Error("an unknown number has a name")
	}
}

// The table in README.md is the one that people read.
func TestReadmeListsEveryReason(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, r := range wire.Reasons() {
		fmt.Fprintf(&table, "| %d | %s | %s |\n", r, r, r.Text())
	}
	if !strings.HasSuffix(string(text), "|---|---|---|\n"+table.String()) {
		t.Errorf("README.md must end with\n%s", table.String())
	}
}

// What is kept lies around the number, and nothing is added.
func TestTrimAround(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var set wire.SeqSet
		for _, n := range rapid.SliceOf(rapid.Uint64Range(1, 200)).Draw(rt, "seqs") {
			set.Add(wire.SeqRange{From: n, To: n})
		}
		before := slices.Clone(set.Ranges())
		keep := rapid.IntRange(1, 20).Draw(rt, "keep")
		seq := rapid.Uint64Range(1, 200).Draw(rt, "seq")
		held, had := set.Containing(seq)
		if forgot := set.TrimAround(keep, seq); forgot != len(before)-set.Len() || set.Len() != min(keep, len(before)) {
			rt.Fatalf("%d ranges are left of %d, %d forgotten", set.Len(), len(before), forgot)
		}
		if now, has := set.Containing(seq); has != had || now != held {
			rt.Fatalf("the range around %d was %v and is %v", seq, held, now)
		}
		for i := range set.Len() - 1 {
			if !slices.Contains(before, set.Ranges()[i]) || set.Ranges()[i].To >= set.Ranges()[i+1].From {
				rt.Fatalf("%v of %v", set.Ranges(), before)
			}
		}
	})
}
