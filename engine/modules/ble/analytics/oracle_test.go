package analytics_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

// oracle answers questions the slow way: second by second, over the rows that were
// written, without a word of SQL. All times are whole seconds.
type oracle struct {
	q      *analytics.Query
	fixes  []fix
	visits []visit
	last   map[schema.TagID]int64 // ms of the tag's last fix in the location
}

func oracleOf(p *past, q *analytics.Query) *oracle {
	o := &oracle{q: q, last: map[schema.TagID]int64{}}
	for _, f := range p.fixes {
		if f.gone || f.org != q.Organisation {
			continue
		}
		if f.location == q.Location {
			o.last[f.tag] = max(o.last[f.tag], f.at)
		}
		if o.admits(f.location, f.plan, f.tag) {
			o.fixes = append(o.fixes, f)
		}
	}
	for _, v := range p.visits {
		if !v.gone && v.org == q.Organisation && o.admits(v.location, v.plan, v.tag) {
			o.visits = append(o.visits, v)
		}
	}
	return o
}

func (o *oracle) admits(l schema.LocationID, p schema.PlanID, t schema.TagID) bool {
	return l == o.q.Location && (o.q.Plan.IsZero() || p == o.q.Plan) && (!o.q.Chosen || slices.Contains(o.q.Tags, t))
}

func (o *oracle) from() int64 { return o.q.From.UnixMilli() }
func (o *oracle) to() int64   { return o.q.To.UnixMilli() }

// until is the end of the visit as far as it is known.
func (o *oracle) until(v *visit) int64 {
	if v.to == 0 {
		return max(o.last[v.tag], v.from)
	}
	return v.to
}

// touching are the visits of the question's zones that touch its time.
func (o *oracle) touching() []visit {
	var out []visit
	for _, v := range o.visits {
		if len(o.q.Zones) > 0 && !slices.Contains(o.q.Zones, v.zone) {
			continue
		}
		if v.from < o.to() && (o.until(&v) > o.from() || v.from >= o.from()) {
			out = append(out, v)
		}
	}
	return out
}

// counted leaves parts out where the whole is there too.
func (o *oracle) counted(visits []visit) []visit {
	return slices.DeleteFunc(slices.Clone(visits), func(v visit) bool {
		if len(o.q.Zones) == 0 {
			return !v.parent.IsZero()
		}
		return slices.Contains(o.q.Zones, v.parent)
	})
}

// cut is what of an interval lies in the question's time.
func (o *oracle) cut(from, to int64) (int64, int64) {
	from, to = max(from, o.from()), min(to, o.to())
	return from, max(from, to)
}

// outside calls do with each second in which a tag was heard on a plan and had no visit
// to a zone.
func (o *oracle) outside(do func(tag schema.TagID, plan schema.PlanID, ms int64)) {
	type second struct {
		tag schema.TagID
		at  int64
	}
	busy := map[second]bool{}
	for _, v := range o.visits {
		if !v.parent.IsZero() {
			continue
		}
		end := v.to
		if end == 0 {
			end = o.to()
		}
		for from, to := o.cut(v.from, end); from < to; from += 1000 {
			busy[second{v.tag, from}] = true
		}
	}
	heard := map[second]bool{}
	for _, f := range o.fixes {
		for from, to := o.cut(f.at, f.at+f.validMs); from < to; from += 1000 {
			at := second{f.tag, from}
			if !heard[at] && !busy[at] {
				do(f.tag, f.plan, from)
			}
			heard[at] = true
		}
	}
}

func (o *oracle) local(ms int64) time.Time { return time.UnixMilli(ms).In(o.q.In) }

func (o *oracle) key(by analytics.By, tag schema.TagID, zone schema.ZoneID, ms int64) (k analytics.DwellKey) {
	at := o.local(ms)
	weekday := uint8((at.Weekday()+6)%7) + 1
	switch by {
	case analytics.ByZone:
		k.Zone = zone
	case analytics.ByTag:
		k.Tag = tag
	case analytics.ByTagZone:
		k.Tag, k.Zone = tag, zone
	case analytics.ByDay:
		k.Day = at.Format(time.DateOnly)
	case analytics.ByHour:
		k.Hour = uint8(at.Hour())
	case analytics.ByWeekday:
		k.Weekday = weekday
	case analytics.ByHourWeekday:
		k.Weekday, k.Hour = weekday, uint8(at.Hour())
	}
	return k
}

func (o *oracle) dwell(by analytics.By) map[analytics.DwellKey]analytics.Dwell {
	out := map[analytics.DwellKey]analytics.Dwell{}
	visits, tags := map[analytics.DwellKey]map[schema.VisitID]bool{}, map[analytics.DwellKey]map[schema.TagID]bool{}
	add := func(k analytics.DwellKey, zone, outside int64, v *visit, tag schema.TagID) {
		d := out[k]
		d.DwellKey, d.ZonesMs, d.OutsideMs = k, d.ZonesMs+zone, d.OutsideMs+outside
		out[k] = d
		if v != nil {
			put(visits, k, v.id())
		}
		if byZone := by == analytics.ByZone || by == analytics.ByTagZone; v != nil || byZone {
			put(tags, k, tag)
		}
	}
	found := o.touching()
	if by != analytics.ByZone && by != analytics.ByTagZone {
		found = o.counted(found)
	}
	for i := range found {
		v := &found[i]
		from, to := o.cut(v.from, o.until(v))
		add(o.key(by, v.tag, v.zone, from), 0, 0, v, v.tag)
		for ; from < to; from += 1000 {
			add(o.key(by, v.tag, v.zone, from), 1000, 0, v, v.tag)
		}
	}
	if len(o.q.Zones) == 0 {
		o.outside(func(tag schema.TagID, _ schema.PlanID, ms int64) {
			add(o.key(by, tag, schema.ZoneID{}, ms), 0, 1000, nil, tag)
		})
	}
	for k, d := range out {
		d.Visits, d.Tags = uint64(len(visits[k])), uint64(len(tags[k]))
		out[k] = d
	}
	return out
}

func put[K, V comparable](sets map[K]map[V]bool, k K, v V) {
	if sets[k] == nil {
		sets[k] = map[V]bool{}
	}
	sets[k][v] = true
}

// occupancy counts, in each second of each step, who is there.
func (o *oracle) occupancy(step time.Duration) []analytics.Point {
	type at struct {
		zone   schema.ZoneID
		bucket int64
	}
	counts := map[at]map[int64]int{}
	for _, v := range o.touching() {
		for from, to := o.cut(v.from, o.until(&v)); from < to; from += 1000 {
			local := o.local(from)
			bucket := from - from%step.Milliseconds()
			if step == analytics.Day {
				bucket = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, o.q.In).UnixMilli()
			}
			k := at{v.zone, bucket}
			if counts[k] == nil {
				counts[k] = map[int64]int{}
			}
			counts[k][from]++
		}
	}
	var out []analytics.Point
	for k, seconds := range counts {
		end := k.bucket + step.Milliseconds()
		if step == analytics.Day {
			end = o.local(k.bucket).AddDate(0, 0, 1).UnixMilli()
		}
		from, to := o.cut(k.bucket, end)
		p := analytics.Point{Zone: k.zone, At: k.bucket}
		sum := 0
		for _, n := range seconds {
			sum += n
			p.Most = max(p.Most, uint64(n))
		}
		p.Mean = float64(sum) * 1000 / float64(to-from)
		out = append(out, p)
	}
	slices.SortFunc(out, comparePoints)
	return out
}

func comparePoints(x, y analytics.Point) int {
	return cmp.Or(cmp.Compare(x.Zone.String(), y.Zone.String()), cmp.Compare(x.At, y.At))
}

func (o *oracle) presences() []analytics.Presence {
	type key struct {
		tag schema.TagID
		day string
	}
	found := map[key]*analytics.Presence{}
	see := func(tag schema.TagID, from, to int64) *analytics.Presence {
		k := key{tag, o.local(from).Format(time.DateOnly)}
		p := found[k]
		if p == nil {
			p = &analytics.Presence{Tag: tag, Day: k.day, First: schema.EventTime(from), Last: schema.EventTime(to), Location: o.q.Location}
			found[k] = p
		}
		p.First, p.Last = min(p.First, schema.EventTime(from)), max(p.Last, schema.EventTime(to))
		return p
	}
	for _, v := range o.counted(o.touching()) {
		from, to := o.cut(v.from, o.until(&v))
		see(v.tag, from, from)
		for at := from; at < to; at += 1000 {
			see(v.tag, at, at+1000).ZonesMs += 1000
		}
		if v.to == 0 && o.until(&v) <= o.to() {
			see(v.tag, max(from, to-1), to).StillIn = true
		}
	}
	if len(o.q.Zones) == 0 {
		for _, f := range o.fixes {
			for from, to := o.cut(f.at, f.at+f.validMs); from < to; from += 1000 {
				see(f.tag, from, from+1000)
			}
		}
		o.outside(func(tag schema.TagID, _ schema.PlanID, ms int64) { see(tag, ms, ms+1000).OutMs += 1000 })
	}
	var out []analytics.Presence
	for _, p := range found {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(x, y analytics.Presence) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Tag.String(), y.Tag.String()))
	})
	return out
}

func (o *oracle) summary() analytics.Summary {
	var s analytics.Summary
	var times []int64
	tags, at := map[schema.TagID]bool{}, map[int64]uint64{}
	for _, v := range o.counted(o.touching()) {
		from, to := o.cut(v.from, o.until(&v))
		times, tags[v.tag] = append(times, to-from), true
		s.TotalMs += to - from
		for ; from < to; from += 1000 {
			at[from]++
			s.Peak = max(s.Peak, at[from])
		}
		if in := schema.EventTime(v.from); v.from >= o.from() && (s.FirstIn.IsZero() || in < s.FirstIn) {
			s.FirstIn = in
		}
		if v.to != 0 && v.to < o.to() {
			s.LastOut = max(s.LastOut, schema.EventTime(v.to))
		}
	}
	s.Visits, s.Tags = uint64(len(times)), uint64(len(tags))
	if n := len(times); n > 0 {
		slices.Sort(times)
		s.MeanMs = float64(s.TotalMs) / float64(n)
		s.MedianMs = float64(times[(n-1)/2]+times[n/2]) / 2
	}
	return s
}

func (o *oracle) heat(cell float64) (map[[2]int]int64, int64) {
	out, total := map[[2]int]int64{}, int64(0)
	for _, f := range o.fixes {
		if len(o.q.Zones) > 0 && !slices.Contains(o.q.Zones, f.zone) {
			continue
		}
		if from, to := o.cut(f.at, f.at+f.validMs); to > from {
			out[[2]int{int(math.Floor(float64(f.x) / cell)), int(math.Floor(float64(f.y) / cell))}] += to - from
			total += to - from
		}
	}
	return out, total
}

// ways are each tag's visits to zones that are no parts, by time.
func (o *oracle) ways() map[schema.TagID][]visit {
	out := map[schema.TagID][]visit{}
	for _, v := range o.visits {
		if v.parent.IsZero() {
			out[v.tag] = append(out[v.tag], v)
		}
	}
	for _, way := range out {
		slices.SortFunc(way, func(x, y visit) int { return cmp.Compare(x.from, y.from) })
	}
	return out
}

func (o *oracle) links(through time.Duration) map[[2]schema.ZoneID]uint64 {
	out := map[[2]schema.ZoneID]uint64{}
	step := func(from, to schema.ZoneID, at int64) {
		named := len(o.q.Zones) == 0 || slices.Contains(o.q.Zones, from) || slices.Contains(o.q.Zones, to)
		if named && from != to && at >= o.from() && at < o.to() {
			out[[2]schema.ZoneID{from, to}]++
		}
	}
	for _, way := range o.ways() {
		for i, v := range way {
			near := i > 0 && v.from-o.until(&way[i-1]) <= through.Milliseconds()
			if near {
				step(way[i-1].zone, v.zone, v.from)
			} else {
				step(schema.ZoneID{}, v.zone, v.from)
			}
			goes := i+1 < len(way) && way[i+1].from-o.until(&v) <= through.Milliseconds()
			if !goes && v.to != 0 {
				step(v.zone, schema.ZoneID{}, v.to)
			}
		}
	}
	return out
}

func (o *oracle) paths(through time.Duration, depth int) map[string]uint64 {
	out := map[string]uint64{}
	for _, way := range o.ways() {
		for i := range way {
			if at := way[i].from; at < o.from() || at >= o.to() || i > 0 && way[i-1].zone == way[i].zone && way[i].from-o.until(&way[i-1]) <= through.Milliseconds() {
				continue
			}
			zones := []schema.ZoneID{way[i].zone}
			for j := i + 1; j < len(way) && len(zones) < depth && way[j].from-o.until(&way[j-1]) <= through.Milliseconds(); j++ {
				if way[j].zone != way[j-1].zone {
					zones = append(zones, way[j].zone)
				}
			}
			touched := len(o.q.Zones) == 0 || slices.ContainsFunc(zones, func(z schema.ZoneID) bool { return slices.Contains(o.q.Zones, z) })
			if len(zones) == depth && touched {
				out[nameOf(zones)]++
			}
		}
	}
	return out
}

func nameOf(zones []schema.ZoneID) string {
	text := ""
	for _, z := range zones {
		text += z.String() + " "
	}
	return text
}

// live writes the past of some tags: they walk between zones and the outside, are away
// for hours, and are seen with the delays of the engine.
func live(rng *rand.Rand, tags int, from, to time.Time) (fixes []fix, visits []visit) {
	for n := 1; n <= tags; n++ {
		at, free := from.UnixMilli()+int64(rng.IntN(7200))*1000, int64(0)
		for at < to.UnixMilli() {
			zone, plan := rng.IntN(5), ground // 0 is outside, 4 is upstairs
			if zone == 4 {
				plan = upstairs
			}
			end := at + int64(5+rng.IntN(3600))*1000
			if rng.IntN(6) == 0 {
				end = at + int64(rng.IntN(9*3600))*1000
			}
			fixes = append(fixes, stand(rng, n, zone, plan, at, end)...)
			if zone != 0 {
				in := max(at+int64(rng.IntN(4))*1000, free)
				out := max(end+int64(rng.IntN(4))*1000-2000, in)
				visits = append(visits, stay(rng, n, zone, plan, in, out)...)
				free = out
			}
			at = end
			if rng.IntN(4) == 0 {
				at += int64(rng.IntN(5*3600)) * 1000
			}
		}
		if last := &visits[len(visits)-1]; last.parent.IsZero() && rng.IntN(2) == 0 {
			last.to = 0
		}
	}
	return fixes, visits
}

// stand makes the fixes of a stretch; some of a time when nobody was there are taken back.
func stand(rng *rand.Rand, n, zone int, plan schema.PlanID, at, end int64) (out []fix) {
	shown := zoneOf(zone)
	for at < end {
		next := min(end, at+int64(1+rng.IntN(30))*1000)
		out = append(out, fix{
			org: ours, location: hall, plan: plan, tag: tagOf(n), zone: shown, at: at, validMs: next - at,
			x: float32(20 * rng.Float64()), y: float32(10*rng.Float64() - 1),
		})
		at = next
	}
	return out
}

// stay makes a visit, and in zone 1 one to its part, 5.
func stay(rng *rand.Rand, n, zone int, plan schema.PlanID, in, out int64) []visit {
	v := visit{org: ours, location: hall, plan: plan, tag: tagOf(n), zone: zoneOf(zone), from: in, to: out}
	all := []visit{v}
	if zone == 1 && out-in > 10_000 {
		part := v
		part.zone, part.parent = zoneOf(5), v.zone
		part.from, part.to = in+int64(rng.IntN(5))*1000, out-int64(rng.IntN(5))*1000
		all = []visit{part, v}
	}
	if rng.IntN(10) == 0 {
		gone := v
		gone.zone, gone.gone = zoneOf(3), true
		if zone != 3 {
			all = append([]visit{gone}, all...)
		}
	}
	return all
}
