package table_test

import (
	"strings"
	"testing"

	"mybeacon/http/table"
	"mybeacon/schema"
)

// Lines of too many columns are refused; separators within quotes are none.
func TestColumns(t *testing.T) {
	const fine = schema.Internal
	f := func(body string, rows int, kind schema.Kind) {
		t.Helper()
		got, err := table.Read([]byte(body), 10, "", "mac")
		if kind == fine && (err != nil || len(got) != rows) || kind != fine && schema.KindOf(err) != kind {
			t.Errorf("got %d rows, %v", len(got), err)
		}
	}
	f("mac"+strings.Repeat(",", 199)+"\nx"+strings.Repeat(",", 199), 1, fine)
	f("mac\nx\nx,y", 2, fine)
	f("mac"+strings.Repeat(",", 200)+"\nx", 0, schema.TooLarge)
	f("mac\nx"+strings.Repeat(",", 200), 0, schema.TooLarge)
	f("mac;"+strings.Repeat(";", 200), 0, schema.TooLarge)
	f("mac,name\nx,\""+strings.Repeat(",\n", 300)+"\"\n", 1, fine)
	f("mac,name\nx\""+strings.Repeat(",", 300)+"\n", 0, schema.Invalid) // a quote within a cell that is none
}
