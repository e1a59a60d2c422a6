package load

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"mybeacon/schema"
)

// entry is what a watcher needs of a tag in a live message. Its slices are the
// message's own.
type entry struct {
	id   schema.TagID
	zone []byte // as text, empty outside zones
	at   []byte
}

// event returns the entry's time.
func (e *entry) event() (schema.EventTime, error) {
	t, err := time.Parse(time.RFC3339Nano, string(e.at))
	if err != nil {
		return 0, fmt.Errorf("time of a tag in a live message: %w", err)
	}
	return schema.EventTimeOf(t), nil
}

// eachTag calls do for every tag in a live message. The watcher shares the machine
// with the server that it measures, so it does not decode what it does not need;
// a quotation mark within a name is escaped, so that no name looks like a key.
func eachTag(message []byte, do func(*entry) error) error {
	_, rest, found := bytes.Cut(message, []byte(`"tags":[`))
	tags, _, ended := bytes.Cut(rest, []byte(`],"zones":[`))
	if !found || !ended {
		return fmt.Errorf("%.200q is no live message", message)
	}
	tags = bytes.TrimPrefix(tags, []byte(`{"id":"`))
	var e entry // one for all: do must not keep it
	for len(tags) > 0 {
		var one []byte
		one, tags, _ = bytes.Cut(tags, []byte(`},{"id":"`))
		e.zone, e.at = value(one, `"zone":"`), value(one, `"at":"`)
		if err := readID(&e.id, one[:max(bytes.IndexByte(one, '"'), 0)]); err != nil {
			return fmt.Errorf("%.400q is no tag of a live message: %w", one, err)
		}
		if err := do(&e); err != nil {
			return err
		}
	}
	return nil
}

// value returns the text that follows the key, up to the next quotation mark.
func value(object []byte, key string) []byte {
	i := bytes.Index(object, []byte(key))
	if i < 0 {
		return nil
	}
	text := object[i+len(key):]
	return text[:max(bytes.IndexByte(text, '"'), 0)]
}

// readID reads a UUID without making it a string first.
func readID(id *schema.TagID, text []byte) error {
	var digits [32]byte
	n := 0
	for _, c := range text {
		if c != '-' && n < len(digits) {
			digits[n] = c
			n++
		}
	}
	if n < len(digits) {
		return fmt.Errorf("its id is %q", text)
	}
	_, err := hex.Decode(id[:], digits[:])
	return err
}

// appendAll reads to the end, into memory that is used again.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
