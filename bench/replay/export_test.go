package replay

// TypeOf is what a track's name says of its tag.
func TypeOf(track string) string { return typeOf(track) }
