package live

import "mybeacon/schema"

// Where returns the tag's newest state; false when it is on no map, or leaving one.
func (h *Hub) Where(tag schema.TagID) (schema.TagMoved, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.homes[tag]
	if r == nil {
		return schema.TagMoved{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.tags[tag]
	if e == nil || e.gone {
		return schema.TagMoved{}, false
	}
	return e.tag, true
}

// Present returns the newest states of the tags on the location's map, in no order.
func (h *Hub) Present(location schema.LocationID) []schema.TagMoved {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.rooms[location]
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make([]schema.TagMoved, 0, len(r.tags))
	for _, e := range r.tags {
		if !e.gone {
			found = append(found, e.tag)
		}
	}
	return found
}
