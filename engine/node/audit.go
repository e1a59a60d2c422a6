package node

import "mybeacon/http/audithttp"

// buildAudit lets people read the audit log.
func (n *Node) buildAudit() { audithttp.Register(n.shell, n.stores.relational) }
