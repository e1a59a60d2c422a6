package ble

import (
	"strings"

	"mybeacon/schema"
)

// ReadTransmitter reads an identity as a row of a table has it: whole in the column
// transmitter, or in parts in uuid, major and minor, in namespace and instance, or in
// mac. It takes the spellings that vendors and spreadsheets use: capitals, UUIDs
// without dashes, addresses with dashes or nothing between, and "1.0" or "1,0" for 1.
func ReadTransmitter(cell func(column string) string) (schema.Transmitter, error) {
	if text := strings.ToLower(cell("transmitter")); text != "" {
		return parseLoosely(text)
	}
	switch {
	case cell("uuid") != "":
		return parseLoosely("ibeacon:" + strings.ToLower(cell("uuid")) + "/" + whole(cell("major")) + "/" + whole(cell("minor")))
	case cell("mac") != "":
		return parseLoosely("mac:" + strings.ToLower(cell("mac")))
	case cell("namespace") != "":
		return parseLoosely("eddystone:" + strings.ToLower(cell("namespace")+"/"+cell("instance")))
	}
	return schema.Transmitter{}, schema.Errorf(schema.Invalid, "transmitter", "is missing")
}

func parseLoosely(text string) (schema.Transmitter, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "ibeacon":
		uuid, numbers, _ := strings.Cut(rest, "/")
		text = "ibeacon:" + dashed(uuid) + "/" + numbers
	case "mac":
		text = "mac:" + colons(rest)
	}
	return schema.ParseTransmitter(text)
}

// dashed writes 32 hexadecimal digits as a UUID; anything else stays as it is.
func dashed(uuid string) string {
	if len(uuid) != 32 {
		return uuid
	}
	return strings.Join([]string{uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]}, "-")
}

// colons writes 12 hexadecimal digits, in any spelling, as an address.
func colons(mac string) string {
	digits := strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(mac)
	if len(digits) != 12 {
		return mac
	}
	pairs := make([]string, 6)
	for i := range pairs {
		pairs[i] = digits[2*i : 2*i+2]
	}
	return strings.Join(pairs, ":")
}

// whole takes away the zeros with which spreadsheets write a whole number.
func whole(number string) string {
	for _, point := range []string{".", ","} {
		if before, after, ok := strings.Cut(number, point); ok && strings.Trim(after, "0") == "" {
			return before
		}
	}
	return number
}
