package node

import (
	"mybeacon/engine/ingest"
	shell "mybeacon/http"
)

// notices hands what is noticed to the products that listen.
type notices []ingest.Notices

// listening returns the products that listen; nil when none does, so that nothing is
// noticed.
func listening(products []shell.Product) ingest.Notices {
	var all notices
	for _, p := range products {
		if l, ok := p.Module.(ingest.Notices); ok {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// Notice implements ingest.Notices.
func (all notices) Notice(n ingest.Notice) {
	for _, l := range all {
		l.Notice(n)
	}
}
