package node

import (
	"context"
	"slices"

	"mybeacon/engine/ask"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/http/sqlhttp"
	chschema "mybeacon/schema/clickhouse"
)

// buildDoor lets analysts ask the warehouse.
func (n *Node) buildDoor() error {
	analysts := n.stores.warehouse.Analysts(chschema.Filtered(), chschema.Views())
	if n.cfg.ClickHouseURL == "" {
		var err error
		if analysts, err = clickhouse.EmbeddedAnalysts(n.stores.embedded.ClickHouseAnalystURL()); err != nil {
			return err
		}
	}
	door := sqlhttp.Register(n.shell, n.stores.relational, analysts)
	var ready []ask.Query
	for _, p := range n.products {
		if source, ok := p.Module.(ask.Source); ok {
			ready = append(ready, source.Questions()...)
		}
	}
	// Views first: they are what people should ask.
	tables := slices.Concat(chschema.Views(), chschema.Filtered())
	door.RegisterAsk(n.shell, sqlhttp.AskConfig{DB: n.stores.relational, Ready: ready, Tables: tables})
	n.life.onStop("warehouse door", func(context.Context) error { analysts.Close(); return nil })
	return nil
}
