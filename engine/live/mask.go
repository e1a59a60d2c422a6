package live

import (
	"crypto/hmac"
	"crypto/sha256"
	"strconv"

	"mybeacon/schema"
)

// mask is what nameless watchers know a tag by while it is on the map.
type mask struct {
	id   schema.TagID
	name string
	text []byte // encoded form; empty when it must be made anew
}

// told returns what a watcher is told of the entry, encoded at most once per change.
func (r *room) told(e *entry, nameless bool) []byte {
	if !nameless || e.isZone {
		return r.encoded(e)
	}
	if e.mask == nil {
		r.masks++
		e.mask = &mask{id: r.alias(e.tag.Tag), name: "Tag " + strconv.Itoa(r.masks)}
	}
	if len(e.mask.text) == 0 {
		info, _ := r.names.TagInfo(e.tag.Tag)
		e.mask.text = appendTag(e.mask.text, e.shown(e.mask.id, e.mask.name, info.Type))
	}
	return e.mask.text
}

// secretOf returns the secret of one location: who watches two by two links must not
// see that a tag goes from one to the other.
func secretOf(secret []byte, location schema.LocationID) []byte {
	sum := hmac.New(sha256.New, secret)
	sum.Write(location[:])
	return sum.Sum(nil)
}

// alias returns an id that says nothing of the tag to who does not know the secret.
func (r *room) alias(id schema.TagID) schema.TagID {
	sum := hmac.New(sha256.New, r.secret)
	sum.Write(id[:])
	alias := schema.TagID(sum.Sum(nil)[:len(id)])
	alias[6], alias[8] = alias[6]&0x0f|0x80, alias[8]&0x3f|0x80 // a UUID of version 8
	return alias
}
