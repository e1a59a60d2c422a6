// Package fence says in which zone of a plan a point is, and turns the points
// of one tag into entries and exits.
//
//   - [Validate] checks that a drawn polygon is a region at all and names the
//     crossing if its border crosses itself.
//   - [Index] finds the zone of a point: the smallest of those that hold it.
//   - [Sphere] does the same for zones on the Earth, rings of latitudes and longitudes
//     ([ValidateSphere]): outdoors, and where several plans are one.
//   - Shares of either say how probable each zone is for a position that is known to
//     some accuracy; [Decision] takes them.
//   - [State] confirms entries and exits after a delay, so that a tag that
//     flickers at a border does not enter and leave with every fix.
//
// # Exactness
//
// Which side of an edge a point lies on is decided exactly: in floating point
// where the result is larger than its error bound, else in rational arithmetic
// (orient.go). Therefore:
//
//   - A point within a polygon is never reported outside because of rounding,
//     however sharp the corner or far the origin.
//   - Of zones that share an edge, corner to corner, every point of the edge
//     belongs to exactly one. The same holds for zones that meet along a line
//     parallel to an axis, whatever their corners on it. Along an oblique line a
//     corner of one zone that was drawn onto the middle of the other's edge is
//     off that edge by rounding, 1e-16 of the coordinate; such a point may be in
//     both, and the smaller zone wins, or in neither.
//
// On the sphere the same holds for the points as floating point has them: corners
// that two zones share are shared exactly, and so is each edge that runs between two
// of them. What differs is that hardly any place computed to be on an edge is on it;
// it is some nanometres beside, and in just one zone.
//
// # Concurrency
//
// An Index and a Sphere are immutable and safe for concurrent use. A State is a plain value
// without pointers: copy it, store it, compare it; one goroutine at a time.
package fence
