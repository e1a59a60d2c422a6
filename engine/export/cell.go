package export

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
)

// cell is one value as its column has it. Which field holds it follows from the
// column's kind: passing values of interfaces on would cost an allocation each.
type cell struct {
	null bool
	text string // Text, UUID
	i    int64  // Integer; Bool as 0 and 1; Time as milliseconds since 1970
	f    float64
}

func cellOf(c Column, v any) (cell, error) {
	if v == nil {
		return cell{null: true}, nil
	}
	if got, ok := convert(c.Kind, v); ok {
		return got, nil
	}
	return cell{}, fmt.Errorf("column %q of kind %s cannot hold a %T", c.Name, c.Kind, v)
}

func convert(k Kind, v any) (cell, bool) {
	switch k {
	case Text:
		return textCell(v)
	case UUID:
		if id, ok := v.([16]byte); ok {
			return cell{text: uuidText(id)}, true
		}
		return textCell(v)
	case Time:
		t, ok := v.(time.Time)
		return cell{i: t.UnixMilli()}, ok
	case Integer:
		return integerCell(v)
	case Number:
		return numberCell(v)
	case Bool:
		b, ok := v.(bool)
		if b {
			return cell{i: 1}, ok
		}
		return cell{}, ok
	}
	return cell{}, false
}

func textCell(v any) (cell, bool) {
	switch t := v.(type) {
	case string:
		return cell{text: strings.ToValidUTF8(t, "\uFFFD")}, true
	case fmt.Stringer:
		return cell{text: strings.ToValidUTF8(t.String(), "\uFFFD")}, true
	}
	return cell{}, false
}

func integerCell(v any) (cell, bool) {
	switch n := v.(type) {
	case int:
		return cell{i: int64(n)}, true
	case int8:
		return cell{i: int64(n)}, true
	case int16:
		return cell{i: int64(n)}, true
	case int32:
		return cell{i: int64(n)}, true
	case int64:
		return cell{i: n}, true
	case uint8:
		return cell{i: int64(n)}, true
	case uint16:
		return cell{i: int64(n)}, true
	case uint32:
		return cell{i: int64(n)}, true
	case uint64:
		return cell{i: int64(n)}, n <= math.MaxInt64
	}
	return cell{}, false
}

func numberCell(v any) (cell, bool) {
	var f float64
	switch n := v.(type) {
	case float64:
		f = n
	case float32:
		f = shortest(n)
	default:
		return cell{}, false
	}
	return cell{f: f, null: math.IsNaN(f) || math.IsInf(f, 0)}, true
}

func uuidText(id [16]byte) string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
