package ble

import (
	"encoding/hex"
	"math"

	"mybeacon/schema"
)

// isDefaultUUID knows some that are widely told to be those of beacons as they are
// bought, and of well-known examples. They and the names beside them are by hearsay, not
// checked against any vendor's documentation: only a warning hangs on them. They are
// written without dashes.
func isDefaultUUID(uuid string) bool {
	switch uuid {
	case "00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
		"e2c56db5dffb48d2b060d0f5a71096e0",                                     // Apple's AirLocate, taken over by many makers
		"5a4bcfce174e4bacaa814b6b5c8ab7a0", "74278bdab64445208f0c720eaf059935", // AirLocate too
		"b9407f30f5f8466eaff925556b57fe6d", // Estimote
		"f7826da64fa24e988024bc5b71e0893e", // Kontakt.io
		"2f234454cf6d4a0fadf2f4911ba9ffa6", // Radius Networks
		"fda50693a4e24fb1afcfc6eb07647825", // Feasycom and others of Shenzhen
		"b5b182c7eab14988aa99b5c1517008d9", // April Brother
		"23a01af0232a45189c0e323fb773f5ef", // Sensoro
		"61687109905f443691f8e602f514c96d", // BlueCats
		"ebefd08370a247c89837e7b5634df524", // Jaalee
		"0112233445566778899aabbccddeeff0": // Nordic's examples
		return true
	}
	return false
}

// IsDefaultIdentity reports whether beacons are sold with this identity, so that any
// other one nearby may send it too.
func IsDefaultIdentity(t schema.Transmitter) bool {
	switch t.Kind {
	case schema.TransmitterIBeacon:
		return isDefaultUUID(hex.EncodeToString(t.ID[:])) || t.Major == math.MaxUint16 || t.Minor == math.MaxUint16 ||
			t.Major == t.Minor && t.Major <= 1
	case schema.TransmitterEddystoneUID:
		return allSame(t.ID[:10]) || allSame(t.ID[10:])
	default:
		return false
	}
}

// allSame is true of what nobody chose, such as zeros.
func allSame(b []byte) bool {
	for _, v := range b {
		if v != b[0] {
			return false
		}
	}
	return true
}
