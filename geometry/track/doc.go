// Package track predicts where a tag may have gone since it was last fixed. It
// is the motion half of the Bayes filter in package locate:
//
//   - [Motion] and [Pace] say how far a tag wanders: little while its estimate
//     stays in place, a brisk step a second while it travels;
//   - [Kernel] and [Diffuse] spread a mass distribution over a grid that far.
//
// There is deliberately no second smoother behind the filter: stacked filters
// cost more in lag than they gain in calm.
//
// Everything is pure and allocates nothing. Functions may be called from any
// goroutine; one Field, scratch or Pace belongs to one goroutine at a time.
package track
