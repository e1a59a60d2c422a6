package plan

import "mybeacon/actors/tag"

// Taught is what tags taught before the engine stopped and no stored calibration has:
// all of it at once, since lessons one by one replace each other on the way.
type Taught struct{ Lessons []*tag.Lessons }
