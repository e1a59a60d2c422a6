package node

import (
	"path/filepath"

	"mybeacon/engine/export"
	"mybeacon/http/exporthttp"
)

// buildExports makes what writes data out, before the routes that do.
func (n *Node) buildExports() error {
	var datasets []export.Dataset
	for _, p := range n.products {
		if source, ok := p.Module.(export.Source); ok {
			datasets = append(datasets, source.Datasets()...)
		}
	}
	var err error
	n.exports, err = export.New(export.Config{
		DB: n.stores.relational, Jobs: n.jobs, Log: n.log.With("part", "exports"), Catalogue: export.NewCatalogue(datasets...),
		Dir: filepath.Join(n.cfg.Data, "exports"),
	})
	return err
}

func (n *Node) routeExports() {
	exporthttp.Register(n.shell, n.stores.relational, n.exports)
	n.life.background("exports", n.exports.Run)
}
