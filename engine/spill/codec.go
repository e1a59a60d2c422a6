package spill

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// The keys of a file's schema metadata.
const (
	tableKey = "mybeacon.table"
	tokenKey = "mybeacon.token"
)

// castagnoli is CRC-32C, which processors compute by themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxFileBytes bounds what is read of one file into memory. A batch of 100,000
// rows has some 14 MB before compression.
const maxFileBytes = 256 << 20

// errDamaged says that a file's bytes are not those that were written, or were
// never a batch.
var errDamaged = errors.New("damaged")

// kept is the content of a file.
type kept struct {
	table  string
	token  string
	record arrow.Record // to be released
}

// sizer counts and sums up what passes.
type sizer struct {
	to   io.Writer
	sum  uint32
	size int64
}

// Write implements io.Writer.
func (s *sizer) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.sum = crc32.Update(s.sum, castagnoli, p[:n])
	s.size += int64(n)
	return n, err
}

// encode writes the batch and returns the length and the checksum.
func encode(w io.Writer, table, token string, rec arrow.Record) (size int64, sum uint32, err error) {
	meta := arrow.NewMetadata([]string{tableKey, tokenKey}, []string{table, token})
	schema := arrow.NewSchema(rec.Schema().Fields(), &meta)
	labelled := array.NewRecord(schema, rec.Columns(), rec.NumRows())
	defer labelled.Release()

	out := &sizer{to: w}
	buffered := bufio.NewWriterSize(out, 256<<10)
	enc := ipc.NewWriter(buffered, ipc.WithSchema(schema), ipc.WithLZ4())
	err = enc.Write(labelled)
	if closeErr := enc.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = buffered.Flush()
	}
	return out.size, out.sum, err
}

// decode reads a batch whose checksum must be sum. The Arrow reader trusts
// lengths that it reads and panics on what makes no sense: behind the checksum
// that is a file of another program, and damaged all the same.
func decode(content []byte, sum uint32) (k kept, err error) {
	if crc32.Checksum(content, castagnoli) != sum {
		return kept{}, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	defer func() {
		if p := recover(); p != nil {
			k, err = kept{}, fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	r, err := ipc.NewReader(bytes.NewReader(content))
	if err != nil {
		return kept{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer r.Release()
	table, _ := r.Schema().Metadata().GetValue(tableKey)
	token, _ := r.Schema().Metadata().GetValue(tokenKey)
	if table == "" || token == "" {
		return kept{}, fmt.Errorf("%w: it names no table or token", errDamaged)
	}
	if !r.Next() {
		return kept{}, fmt.Errorf("%w: it has no rows: %w", errDamaged, errors.Join(r.Err(), io.ErrUnexpectedEOF))
	}
	rec := r.Record()
	rec.Retain()
	if r.Next() {
		rec.Release()
		return kept{}, fmt.Errorf("%w: it holds more than one batch", errDamaged)
	}
	return kept{table: table, token: token, record: rec}, nil
}

// load reads a file of the spool. Its error is errDamaged when reading again
// would be no better.
func load(dir FS, f file) (kept, error) {
	content, err := readAll(dir, f.name())
	if err != nil {
		return kept{}, err
	}
	k, err := decode(content, f.sum)
	if err != nil {
		return kept{}, err
	}
	if k.table != f.table || int(k.record.NumRows()) != f.rows {
		k.record.Release()
		return kept{}, fmt.Errorf("%w: its name and its content differ", errDamaged)
	}
	return k, nil
}

func readAll(dir FS, name string) ([]byte, error) {
	r, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err == nil && len(content) > maxFileBytes {
		err = fmt.Errorf("%w: it is longer than any batch", errDamaged)
	}
	return content, err
}
