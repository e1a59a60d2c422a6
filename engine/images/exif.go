package images

import (
	"bytes"
	"encoding/binary"
)

// readJPEG looks at the segments before the picture: how the camera was held, as
// EXIF tells it from 1 (upright) to 8, and how many bytes of memory a pixel takes.
// What it cannot read it takes for the usual; decoding says what is wrong.
func readJPEG(content []byte) (orientation, perPixel int) {
	orientation, perPixel = 1, 4
	rest := content[2:]
	for len(rest) >= 4 && rest[0] == 0xff {
		marker := rest[1]
		if marker == 0xff { // filling
			rest = rest[1:]
			continue
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if size < 2 || len(rest) < 2+size {
			return orientation, perPixel
		}
		body := rest[4 : 2+size]
		switch marker {
		case 0xe1: // APP1
			if tiff, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok {
				orientation = orientationOf(tiff)
			}
		case 0xc2:
			perPixel = progressiveBytes(body)
		case 0xda: // the picture begins
			return orientation, perPixel
		}
		rest = rest[2+size:]
	}
	return orientation, perPixel
}

// progressiveBytes reads the frame header of a progressive picture. All of its
// coefficients are kept until its end, four bytes each besides the one that is made
// of it.
func progressiveBytes(frame []byte) int {
	const fixed, each, perCoefficient = 6, 3, 5
	all, most := 0, 1
	if len(frame) < fixed {
		return perCoefficient
	}
	for c := frame[fixed:]; len(c) >= each; c = c[each:] {
		n := int(c[1]>>4) * int(c[1]&15)
		all, most = all+n, max(most, n)
	}
	return max((perCoefficient*all+most-1)/most, perCoefficient)
}

// orientationOf reads the tag of the first directory of a TIFF, which EXIF is.
func orientationOf(tiff []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := int(order.Uint16(tiff[at:]))
	fields := tiff[at+2:]
	const orientationTag, short, entryBytes = 0x0112, 3, 12
	for range entries {
		if len(fields) < entryBytes {
			return 1
		}
		if order.Uint16(fields) == orientationTag && order.Uint16(fields[2:]) == short {
			if v := int(order.Uint16(fields[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		fields = fields[entryBytes:]
	}
	return 1
}
