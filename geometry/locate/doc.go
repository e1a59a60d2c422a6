// Package locate estimates where on a plan a tag is from how loudly the plan's
// receivers hear it.
//
// # Method
//
// A [Track] is a Bayes filter over a grid of the plan. Each fix predicts (mass
// spreads by a random walk, package track) and updates every cell c with every
// receiver r that heard the tag within the window:
//
//	expected(r, c) = level − 10·n·log10(distance(r, c))       package ranging
//	error(r, c)    = heard(r) − expected(r, c)                 Student-t, in dB
//
// Distances are three-dimensional: receivers hang under the ceiling, and at
// 2 m height their height is what separates "below it" from "two metres off".
// The work is done in decibels and never in metres, because an error of 6 dB is
// a factor of two in distance and squares of distances let the worst receiver
// decide.
//
// Five choices make it work without a survey:
//
//   - The tag's level is unknown. For each cell the level that explains the
//     readings best is found first (a robust mean of heard + loss), so that only
//     differences between receivers place the tag. What was found is remembered
//     per track as a weak prior that tightens, so that one or two receivers can
//     still say something later.
//   - Weak receivers count less. Between a tag and the receiver that hears it
//     30 dB below the loudest stand walls and people, each with an error of its
//     own; the noise scale grows with how far below the loudest a receiver is.
//   - The likelihood is tempered. Errors of successive seconds and of neighbour
//     receivers are correlated, and a filter that takes them for independent is
//     confidently wrong.
//   - With few readings the silence of receivers nearby keeps a faint tag from being
//     taken for a far one.
//   - A floor of mass is kept everywhere, so that a wrong belief dies within
//     seconds when the evidence moves elsewhere.
//
// The noise of a site is learned in each fix from how well the best cell explains
// it, and a walking tag is expected to go on at part of its velocity.
//
// The estimate is the posterior mean, which never leaves the plan nor enters a
// no-go area, and its accuracy is the radius that holds 68 % of the posterior mass
// around it, widened by what seconds have in common and filters take for news.
// With one receiver the posterior is a wide blot and the accuracy says so.
// [Track.Zones] says how much of the mass each zone has, widened alike; package
// fence decides on it.
//
// # Survey
//
// What was heard at known places (Site.Survey: a surveyor's walk, or reference tags
// that hang somewhere) improves the same tables, however little it is. Levels of
// the sources, offsets of the receivers and the exponent are fitted with what is
// believed without a survey as so many further points; what is left over becomes
// a smooth map per receiver, as smooth as foretells best the points left out.
//
// # Calibration
//
// Without anybody saying where tags are, a [Calibration] learns from their traffic
// which receivers hear more than their siblings, for all tags of the plan. Tracks
// give lessons and take offsets; between the two stands whoever runs the plan.
//
// # Limits
//
//   - Without a survey the path loss exponent is that of free space everywhere. A
//     building with another one is positioned with a scale error that the level
//     partly absorbs.
//   - A corner whose only receiver is dead is lost behind its walls: nobody else
//     tells it from the next room. On a recorded flat the median error doubles
//     where half of the time is spent in such a corner, and the radii do not know.
//     No path loss does better there by much, not even one fitted to the truth for
//     each receiver (1.8 m for 2.2); a survey does (1.3 m).
//   - Where receivers stand 20 m apart a brisk walker is followed two metres
//     behind.
//   - That a receiver did not hear a tag counts for little, and only where four or
//     fewer heard it: receivers miss a tag two metres off for minutes, and making
//     more of it cost a tenth of the accuracy in the library. A tag that is so faint
//     that two or three hear it is put near those, but often not as near as the
//     loudest is.
//
// # Cost
//
// The expected powers are tables, computed once per plan and shared by its tags.
// A fix touches at most [Config.MaxCells] cells and [Config.MaxReceivers]
// receivers; on a plan of more cells a track follows the tag with a window. Where
// there are many cells, blocks of nine are weighed first, and then the cells of
// the blocks that hold 99 % of the mass or more. No fix allocates, except the
// first of a track and the first after Reset.
//
// # Concurrency
//
// A [Locator] and [Offsets] are immutable and safe for concurrent use. A [Track] is
// state of one tag, a [Calibration] that of one plan: one goroutine at a time.
// Tracks of one locator may run in parallel.
//
// # Determinism
//
// Equal samples in equal order give equal bits on one architecture. The order
// of the samples within one call changes an estimate by rounding only. A track
// knows nothing of others but the offsets that it is given.
package locate
