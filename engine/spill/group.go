package spill

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// group is files that are inserted together under a token of their own. Its
// list is on disk before the first attempt and until the last file is gone.
type group struct {
	Token string   `json:"token"`
	Files []string `json:"files"` // names

	name   string // of the list
	stored bool   // what is left of its files may be removed
}

// storedEnd is put behind the name of a list when its files are stored.
const storedEnd = ".stored"

// maxGroupFiles bounds the files of one insert, and with them its list.
const maxGroupFiles = 2000

// newGroup names a group of files of one table.
func newGroup(files []file) *group {
	g := &group{Token: files[0].table + "-" + strings.ToLower(rand.Text())}
	for _, f := range files {
		g.Files = append(g.Files, f.name())
	}
	return g
}

// record makes the group's list durable.
func (s *Spill) record(g *group, first uint64) error {
	content, err := json.Marshal(g)
	if err != nil {
		panic("BUG: a list of names has no JSON: " + err.Error())
	}
	temp := fmt.Sprintf("group.%020d%s", first, tempEnd)
	err = s.fill(temp, func(w File) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	g.name = groupFileName(first, crc32.Checksum(content, castagnoli))
	return s.publish(temp, g.name)
}

// readGroup reads a group's list of that name.
func readGroup(dir FS, name string) (*group, error) {
	base, stored := strings.CutSuffix(name, storedEnd)
	_, sum, ok := parseGroup(base)
	if !ok {
		return nil, fmt.Errorf("%w: no list has such a name", errDamaged)
	}
	content, err := readAll(dir, name)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(content, castagnoli) != sum {
		return nil, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	g := &group{name: name, stored: stored}
	if err := json.Unmarshal(content, g); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if g.Token == "" || len(g.Files) == 0 || len(g.Files) > maxGroupFiles {
		return nil, fmt.Errorf("%w: a group of %d files", errDamaged, len(g.Files))
	}
	return g, nil
}

// merge makes one record of many with the same columns.
func merge(records []arrow.Record) (arrow.Record, error) {
	if len(records) == 1 {
		records[0].Retain()
		return records[0], nil
	}
	first := records[0]
	columns := make([]arrow.Array, first.NumCols())
	parts := make([]arrow.Array, len(records))
	rows := int64(0)
	for _, rec := range records {
		rows += rec.NumRows()
	}
	for i := range columns {
		for j, rec := range records {
			parts[j] = rec.Column(i)
		}
		joined, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, fmt.Errorf("join column %s: %w", first.ColumnName(i), err)
		}
		defer joined.Release()
		columns[i] = joined
	}
	return array.NewRecord(arrow.NewSchema(first.Schema().Fields(), nil), columns, rows), nil
}

const dayMillis = 24 * 60 * 60 * 1000

// addDays puts the days of the record's rows into the set. The first column of
// times is the one that a table is partitioned by.
func addDays(days map[int64]struct{}, rec arrow.Record) {
	for _, col := range rec.Columns() {
		times, ok := col.(*array.Timestamp)
		if !ok {
			continue
		}
		last := int64(-1)
		for _, t := range times.TimestampValues() {
			if day := int64(t) / dayMillis; day != last {
				last = day
				days[day] = struct{}{}
			}
		}
		return
	}
}
