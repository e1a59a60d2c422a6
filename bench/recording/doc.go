// Package recording reads recorded sites: folders in which somebody wrote down
// what fixed receivers heard of moving tags, and where the tags really were.
//
// One folder is one site:
//
//	meta.json        name, bounds_m [x0,y0,x1,y1], tag_height_m
//	receivers.csv    rx,x_m,y_m,z_m
//	events.csv       track,t_s,rx,rssi_dbm      what was heard
//	zones.json       {"kitchen": [[x,y],…], …}  optional
//	truth.csv        track,t_s,x_m,y_m,z_m      optional, see [ReadTruth]
//	zone_truth.csv   track,t_from_s,label,zone  optional, see [ReadZoneTruth]
//	survey.csv       point,x_m,y_m,rx,rssi_dbm  optional, see [ReadSurvey]
//
// Lengths are metres in the plan's own coordinates, times are seconds since the
// start of the recording, or any other. Columns are found by their names in the first
// line; further columns are ignored. Heights may be missing: a receiver is then taken
// to be at 2 m, a tag at 1.2 m. Polygons may end where they began.
//
// The files come from outside: every size is bounded, and each error is a
// [schema.Error] of kind Invalid whose field names the file, the line and the
// column and whose message says what would be right. The functions keep no
// state and may be called concurrently.
package recording
