package directory

import (
	"slices"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// history returns since when what the device hears is its present organisation's, and
// whose it was before. That a device was entered before its location was known, or away
// and back at once, divides nothing.
func history(bound postgres.Binding) (schema.EventTime, []ingest.Former) {
	since, former := bound.Since, bound.Former
	if bound.Organisation.IsZero() {
		if len(former) == 0 {
			return 0, nil
		}
		since = former[0].To
	}
	for len(former) > 0 && !since.IsZero() && former[0].To.Equal(since) && samePlace(bound, former[0]) {
		since, former = former[0].From, former[1:]
	}
	out := make([]ingest.Former, 0, len(former))
	for _, f := range former {
		out = append(out, ingest.Former{
			Source: schema.Source{Organisation: f.Organisation, Device: bound.ID, Location: f.Location, KeepDays: f.KeepDays},
			From:   eventTime(f.From), To: eventTime(f.To),
		})
	}
	return eventTime(since), slices.Clip(out)
}

func samePlace(bound postgres.Binding, f postgres.Former) bool {
	return f.Organisation == bound.Organisation && (f.Location.IsZero() || f.Location == bound.Location)
}

// eventTime is 0 of the zero time.
func eventTime(t time.Time) schema.EventTime {
	if t.IsZero() {
		return 0
	}
	return schema.EventTimeOf(t)
}
