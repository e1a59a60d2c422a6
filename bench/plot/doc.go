// Package plot draws charts as SVG files that a page can embed.
//
// There are three: [Chart] for curves, points and plans, [Bars] for a figure per
// name, and [Timeline] for states over time. Each has a title, axes with units,
// a legend at its right, and is [Width] wide, so that its letters are as large as
// the text of a page beside it. The colours are told apart by people who do not see
// all of them, and follow the reader's preference for light or dark.
//
// Equal charts give equal bytes. A chart is a plain value, which the functions only
// read.
package plot
