package actortest

import "mybeacon/schema"

// Flat returns a plan of two zones, one of which has a part, and six receivers.
func Flat(org schema.OrganisationID) schema.Layout {
	rect := func(x0, y0, x1, y1 float64) []schema.Point {
		return []schema.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
	}
	l := schema.Layout{
		Organisation: org, Location: schema.LocationID{2}, Plan: schema.PlanID{3}, TagHeightM: 1,
		Bounds: schema.Rect{Max: schema.Point{X: 20, Y: 10}},
		Zones: []schema.Zone{
			{ID: schema.ZoneID{4, 1}, Number: 1, Polygon: rect(0, 0, 10, 10)},
			{ID: schema.ZoneID{4, 2}, Number: 2, Polygon: rect(10, 0, 20, 10)},
			{ID: schema.ZoneID{4, 3}, Number: 3, Parent: schema.ZoneID{4, 2}, Polygon: rect(15, 0, 20, 10)},
		},
	}
	for i := range 6 {
		l.Receivers = append(l.Receivers, schema.Placement{
			Receiver: schema.ReceiverID{7, 15: byte(i)}, Device: schema.DeviceID{6, 15: byte(i)},
			X: 2 + 3.2*float64(i), Y: 1 + 8*float64(i%2), Z: 2.5,
		})
	}
	return l
}
