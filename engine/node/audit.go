package node

import (
	"mybeacon/engine/audit"
	"mybeacon/http/audithttp"
)

// startViews begins to write down what people look at; it stops after the routes and
// sockets that tell it.
func (n *Node) startViews() {
	n.views = audit.NewViews(n.log.With("part", "audit"), n.stores.relational.AppendActs)
	n.life.background("audit log", n.views.Run)
}

// buildAudit lets people read the audit log.
func (n *Node) buildAudit() { audithttp.Register(n.shell, n.stores.relational) }
