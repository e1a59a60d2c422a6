package locate

import (
	"encoding/binary"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// layoutOf returns the site as a plan of the engine. Receivers and zones keep
// their order.
func layoutOf(site *recording.Site, survey []recording.SurveyPoint) *schema.Layout {
	l := &schema.Layout{
		Organisation: schema.OrganisationID{1}, Location: schema.LocationID{1}, Plan: schema.PlanID{1}, Version: 1,
		Bounds: site.Bounds, TagHeightM: site.TagHeightM,
	}
	for i, r := range site.Receivers {
		l.Receivers = append(l.Receivers, schema.Placement{
			Receiver: numbered[schema.ReceiverID](i), Device: numbered[schema.DeviceID](i),
			X: r.X, Y: r.Y, Z: r.Z,
		})
	}
	for i, z := range site.Zones {
		l.Zones = append(l.Zones, schema.Zone{ID: numbered[schema.ZoneID](i), Number: i + 1, Name: z.Name, Polygon: z.Polygon})
	}
	for _, p := range survey {
		l.Survey = append(l.Survey, schema.SurveyReading{
			At: schema.Point{X: p.X, Y: p.Y}, Receiver: l.Receivers[p.Receiver].Receiver, RSSI: p.RSSI,
		})
	}
	return l
}

// numbered returns an id that is not zero and different for each index.
func numbered[I ~[16]byte](index int) I {
	var id I
	id[0] = 1
	binary.BigEndian.PutUint32(id[12:], uint32(index))
	return id
}
