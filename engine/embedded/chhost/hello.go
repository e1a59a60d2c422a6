package chhost

import (
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// hello answers helloQuery for a client that decodes it at the given protocol
// revision. The revision answered is 0: from then on the client decodes at 0,
// which is how the library writes Native, and nothing needs re-encoding.
func hello(version string, protocol uint64) ([]byte, error) {
	block := proto.NewBlock()
	for _, c := range []struct{ name, kind string }{
		{"displayName()", "String"}, {"version()", "String"}, {"revision()", "UInt32"}, {"timezone()", "String"},
	} {
		if err := block.AddColumn(c.name, column.Type(c.kind)); err != nil {
			return nil, err
		}
	}
	if err := block.Append("mybeacon", version, uint32(0), "UTC"); err != nil {
		return nil, err
	}
	buf := new(chproto.Buffer)
	if err := block.Encode(buf, protocol); err != nil {
		return nil, err
	}
	return buf.Buf, nil
}
