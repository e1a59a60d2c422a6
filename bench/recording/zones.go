package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"mybeacon/schema"
)

const (
	maxZones   = 1_000
	maxCorners = 1_000
)

// readZones reads {"name": [[x,y],…], …} and keeps the order of the file, which
// a map would lose: it decides the zones' numbers.
func readZones(dir fs.FS) ([]Zone, error) {
	const file = "zones.json"
	text, err := readSmall(dir, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, schema.Errorf(schema.Invalid, file, `must be an object such as {"kitchen": [[0,0],[4,0],[4,3]]}`)
	}
	var zones []Zone
	seen := map[string]bool{}
	for d.More() {
		z, err := readZone(d)
		if err != nil {
			return nil, jsonError(file, text, err)
		}
		if seen[z.Name] || len(zones) == maxZones {
			return nil, schema.Errorf(schema.Invalid, file, "the zone %.40q is there twice, or there are more than %d zones", z.Name, maxZones)
		}
		seen[z.Name] = true
		zones = append(zones, z)
	}
	if _, err := d.Token(); err != nil {
		return nil, jsonError(file, text, err)
	}
	return zones, nil
}

func readZone(d *json.Decoder) (Zone, error) {
	key, err := d.Token()
	if err != nil {
		return Zone{}, err
	}
	name, _ := key.(string)
	field := fmt.Sprintf("zones.json %.40q", name)
	if name == "" || len(name) > maxName {
		return Zone{}, schema.Errorf(schema.Invalid, field, "must be a name of 1 to %d bytes", maxName)
	}
	var corners [][]float64
	if err := d.Decode(&corners); err != nil {
		return Zone{}, err
	}
	if n := len(corners); n > 3 && slices.Equal(corners[0], corners[n-1]) {
		corners = corners[:n-1] // closed as in GeoJSON
	}
	if len(corners) < 3 || len(corners) > maxCorners {
		return Zone{}, schema.Errorf(schema.Invalid, field, "has %d corners, must have 3 to %d", len(corners), maxCorners)
	}
	z := Zone{Name: name, Polygon: make([]schema.Point, len(corners))}
	for i, c := range corners {
		if len(c) != 2 || !inRange(c...) {
			return Zone{}, schema.Errorf(schema.Invalid, fmt.Sprintf("%s corner %d", field, i+1), "must be [x, y] in metres")
		}
		z.Polygon[i] = schema.Point{X: c[0], Y: c[1]}
	}
	return z, nil
}

func readSmall(dir fs.FS, file string) ([]byte, error) {
	f, err := dir.Open(file)
	if err != nil {
		return nil, openError(file, err)
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxMeta+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(text) > maxMeta {
		return nil, schema.Errorf(schema.TooLarge, file, "must not be larger than %d bytes", maxMeta)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}

// jsonError adds the line and column to what the decoder says; an error that is
// already ours is passed on.
func jsonError(file string, text []byte, err error) error {
	var ours *schema.Error
	if errors.As(err, &ours) {
		return err
	}
	offset := int64(len(text))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	before := text[:min(max(offset, 0), int64(len(text)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	where := fmt.Sprintf("%s line %d column %d", file, line, max(column, 1))
	return &schema.Error{Kind: schema.Invalid, Field: where, Message: "this is not the JSON that is expected here", Err: err}
}
