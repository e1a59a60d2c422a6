package node

import (
	"context"

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
	sqlhttp.Register(n.shell, n.stores.relational, analysts)
	n.life.onStop("warehouse door", func(context.Context) error { analysts.Close(); return nil })
	return nil
}
