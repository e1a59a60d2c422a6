// Package sim is a small company that does not exist: a floor of 40 x 25 m with
// rooms, walls and doors, people who go about their day, things that lie around
// and carts that are pushed, and the radio of their tags as fourteen receivers
// would hear it.
//
// It is for demonstrations, load and accuracy measurements: the true positions
// are known. The radio is made as hard as the real one in the ways that matter
// to a locator:
//
//   - the level falls with the logarithm of the 3-D distance (exponent 2.2), by
//     4 dB per wall that the straight line crosses and 10 dB for the outer one;
//   - each receiver hears a constant few dB more or less than the next;
//   - shadowing: a smooth random field per receiver, 3 dB, correlated over about
//     2 m, so that standing still does not average it away;
//   - the wearer's body takes up to 8 dB when it is in between;
//   - multipath: Rician fading, new with each advertisement;
//   - what is weak is missed, and 4 % of the rest too; levels are whole dB.
//
// Equal [Config] give equal frames, byte for byte, on the same architecture
// (floating-point results may differ in the last bit between architectures).
// There is no clock inside: [World.Step] makes one second of life per call. A
// World belongs to one goroutine.
package sim
