package recording

import (
	"io/fs"
	"math"
	"strings"
	"time"

	"mybeacon/schema"
)

// Truth is where a tag really was.
type Truth struct {
	Track string
	At    time.Duration // since the start of the recording
	X, Y  float64       // metres
	Z     float64       // metres above the floor; NaN where it was not measured
}

// ZoneTruth says that from then on a tag was in the zone, until the next row of
// its track. Zone is the name of a zone of zones.json, or empty for outside.
type ZoneTruth struct {
	Track string
	From  time.Duration
	Label string // as the recorder wrote it, a finer division than zones
	Zone  string
}

// SurveyPoint is the level of one receiver at a surveyed point, for
// calibration only.
type SurveyPoint struct {
	Point    string // equal for the receivers heard at one point
	X, Y     float64
	Receiver int // index in the receivers given to [ReadSurvey]
	RSSI     schema.CentiDBm
}

// ReadTruth reads truth.csv; a missing file is an error of kind NotFound. Rows
// without x or y (empty or NaN) say that nothing is known, and are left out.
func ReadTruth(dir fs.FS) ([]Truth, error) {
	t, err := openTable(dir, "truth.csv", "track", "t_s", "x_m", "y_m", "z_m?")
	if err != nil {
		return nil, err
	}
	var all []Truth
	for t.next() {
		if t.unknown(2) || t.unknown(3) {
			continue
		}
		row := Truth{Track: t.name(0), At: milliseconds(t.seconds(1)), X: t.metres(2), Y: t.metres(3), Z: math.NaN()}
		if !t.unknown(4) {
			row.Z = t.metres(4)
		}
		all = append(all, row)
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	return all, nil
}

// ReadZoneTruth reads zone_truth.csv; a missing file is an error of kind NotFound.
func ReadZoneTruth(dir fs.FS) ([]ZoneTruth, error) {
	t, err := openTable(dir, "zone_truth.csv", "track", "t_from_s", "label", "zone")
	if err != nil {
		return nil, err
	}
	var all []ZoneTruth
	for t.next() {
		all = append(all, ZoneTruth{
			Track: t.name(0), From: milliseconds(t.seconds(1)),
			Label: strings.Clone(t.cell(2)), Zone: strings.Clone(t.cell(3)),
		})
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	return all, nil
}

// ReadSurvey reads survey.csv of a site with these receivers; a missing file is
// an error of kind NotFound.
func ReadSurvey(dir fs.FS, receivers []Receiver) ([]SurveyPoint, error) {
	t, err := openTable(dir, "survey.csv", "point", "x_m", "y_m", "rx", "rssi_dbm")
	if err != nil {
		return nil, err
	}
	byName := receiverIndex(receivers)
	var all []SurveyPoint
	for t.next() {
		all = append(all, SurveyPoint{
			Point: t.name(0), X: t.metres(1), Y: t.metres(2),
			Receiver: t.receiver(3, byName), RSSI: t.rssi(4),
		})
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	return all, nil
}
