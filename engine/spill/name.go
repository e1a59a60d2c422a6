package spill

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Endings of names. A temporary file is not finished; a damaged one has been.
const (
	tempEnd    = ".tmp"
	damagedEnd = ".damaged"
)

// file is a finished file of the spool, as its name tells.
type file struct {
	table   string
	seq     uint64
	written int64 // ms
	rows    int
	sum     uint32 // CRC-32C of the content
	tried   bool   // an insert of it alone may have happened

	size int64
}

func (f file) name() string {
	tried := ""
	if f.tried {
		tried = ".tried"
	}
	return fmt.Sprintf("%s.%020d.%d.%d.%08x%s.arrows", f.table, f.seq, f.written, f.rows, f.sum, tried)
}

// identity tells files apart, tried or not. Numbers alone would, were it not for
// files that somebody copied from another spool.
type identity struct {
	table string
	seq   uint64
	sum   uint32
}

func (f file) identity() identity { return identity{f.table, f.seq, f.sum} }

var (
	fileName  = regexp.MustCompile(`^([a-z_]{1,64})\.(\d{20})\.(\d{1,18})\.(\d{1,9})\.([0-9a-f]{8})(\.tried)?\.arrows$`)
	groupName = regexp.MustCompile(`^group\.(\d{20})\.([0-9a-f]{8})\.json$`)
)

// parseFile reads a file's name.
func parseFile(name string) (f file, ok bool) {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return file{}, false
	}
	f = file{table: m[1], tried: m[6] != ""}
	var errs [4]error
	f.seq, errs[0] = strconv.ParseUint(m[2], 10, 64)
	f.written, errs[1] = strconv.ParseInt(m[3], 10, 64)
	f.rows, errs[2] = strconv.Atoi(m[4])
	var sum uint64
	sum, errs[3] = strconv.ParseUint(m[5], 16, 32)
	f.sum = uint32(sum)
	return f, errs == [4]error{}
}

// groupFileName returns the name of the list of a group.
func groupFileName(first uint64, sum uint32) string {
	return fmt.Sprintf("group.%020d.%08x.json", first, sum)
}

// parseGroup reads the name of a group's list.
func parseGroup(name string) (first uint64, sum uint32, ok bool) {
	m := groupName.FindStringSubmatch(name)
	if m == nil {
		return 0, 0, false
	}
	first, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		return 0, 0, false
	}
	s, err := strconv.ParseUint(m[2], 16, 32)
	return first, uint32(s), err == nil
}

func inOrder(files []file) {
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.seq, b.seq) })
}
