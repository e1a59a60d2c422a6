package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"mybeacon/schema"
)

// The statuses of a device.
const (
	StatusOnline  = "online"
	StatusOffline = "offline" // it was here before
	StatusNever   = "never"   // it was never here
)

// DeviceFilter narrows a list; zero fields admit all.
type DeviceFilter struct {
	IDs      []schema.DeviceID
	Query    string // a number ("5", "#5", "Receiver #5"), a part of a MAC address in any spelling, or of a name
	Number   int64
	MAC      string // any part of it, in any spelling
	Location schema.LocationID
	Status   string
	Bound    *bool
}

func (f DeviceFilter) apply(where *Where) {
	if f.IDs != nil {
		where.Add("d.id = ANY(?::uuid[])", texts(f.IDs))
	}
	if f.Number != 0 {
		where.Add("d.number = ?", f.Number)
	}
	if f.MAC != "" {
		whereMAC(where, f.MAC)
	}
	if !f.Location.IsZero() {
		where.Add("d.location = ?", f.Location)
	}
	switch f.Status {
	case StatusOnline:
		where.Add("d.online")
	case StatusOffline:
		where.Add("NOT d.online AND d.last_seen IS NOT NULL")
	case StatusNever:
		where.Add("NOT d.online AND d.last_seen IS NULL")
	}
	if f.Bound != nil && *f.Bound {
		where.Add("d.org IS NOT NULL")
	} else if f.Bound != nil {
		where.Add("d.org IS NULL")
	}
	if query := strings.ToLower(strings.TrimSpace(f.Query)); query != "" {
		whereQuery(where, query)
	}
}

func texts[I interface{ String() string }](ids []I) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

func whereMAC(where *Where, mac string) {
	digits, ok := macDigits(mac)
	switch {
	case !ok:
		where.Add("false")
	case len(digits) == 12:
		where.Add("d.mac = ?::text::macaddr", digits)
	default:
		where.Add("strpos(d.mac_hex, ?) > 0", digits)
	}
}

// macDigits returns the hexadecimal digits of a MAC address or a part of one.
func macDigits(text string) (digits string, ok bool) {
	digits = strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(text)))
	ok = digits != "" && len(digits) <= 12 && strings.Trim(digits, "0123456789abcdef") == ""
	return digits, ok
}

// saidNumber is how people write a device's number; the sign or the word tells it from
// digits of an address or a name.
var saidNumber = regexp.MustCompile(`^(?:(?:receiver|scanner|device|при[её]мник|сканер|устройство)\s*[#№]?|[#№])\s*([0-9]{1,18})$`)

// leastMACDigits is from how many digits on a text may be a part of an address: nearly
// every address has any two.
const leastMACDigits = 4

// whereQuery admits what the lower-case query may mean.
func whereQuery(where *Where, query string) {
	if said := saidNumber.FindStringSubmatch(query); said != nil {
		n, _ := strconv.ParseInt(said[1], 10, 64) // 18 digits fit
		where.Add("d.number = ?", n)
		return
	}
	clause, args := "strpos(d.search, ?) > 0", []any{query}
	if n, err := strconv.ParseInt(query, 10, 64); err == nil && n > 0 {
		clause, args = clause+" OR d.number = ?", append(args, n)
	}
	if digits, ok := macDigits(query); ok && (len(digits) >= leastMACDigits || strings.ContainsAny(query, ":-")) {
		clause, args = clause+" OR strpos(d.mac_hex, ?) > 0", append(args, digits)
	}
	where.Add("("+clause+")", args...)
}
