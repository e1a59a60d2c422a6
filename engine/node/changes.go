package node

import "mybeacon/engine/store/postgres"

// changed hears of every change in the relational store. Products publish what
// is theirs themselves; "" means that something may have been missed.
func (n *Node) changed(topic string) {
	if topic == postgres.CoreTopic || topic == "" {
		n.directory.Changed()
		if web := n.open.Load(); web != nil {
			web.RightsChanged()
		}
	}
}
