package images

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// jpegFacts is what the segments before a JPEG's first scan say.
type jpegFacts struct {
	orientation int // as EXIF tells it from 1 (upright) to 8
	perPixel    int // bytes of memory while it is decoded
}

// errOdd is of what decoders pass over in silence, each in its way: what one does not
// see there must not decide what the other takes.
var errOdd = errors.New("odd bytes between the segments")

// readJPEG looks at the segments before the picture. A pixel takes what the worst
// kind takes, unless a frame of a lesser one is seen.
func readJPEG(content []byte) (jpegFacts, error) {
	facts := jpegFacts{orientation: 1, perPixel: worstBytes}
	rest := content[2:]
	for len(rest) >= 4 && rest[0] == 0xff {
		marker := rest[1]
		if marker == 0xff { // filling
			rest = rest[1:]
			continue
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0 || marker >= 0xd0 && marker <= 0xd9 || size < 2 || len(rest) < 2+size {
			return facts, errOdd
		}
		body := rest[4 : 2+size]
		switch marker {
		case 0xe1: // APP1
			if tiff, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok {
				facts.orientation = orientationOf(tiff)
			}
		case 0xc0, 0xc1:
			facts.perPixel = baselineBytes
		case 0xc2:
			facts.perPixel = progressiveBytes(body)
		case 0xda: // the picture begins
			return facts, nil
		}
		rest = rest[2+size:]
	}
	return facts, errOdd
}

// The bytes of memory that a pixel of a JPEG takes at most: of one with frames as they
// come, made of one of four channels and a plane beside it; and of a progressive one
// with four whole channels.
const (
	baselineBytes = 8
	worstBytes    = 4 * perCoefficient
)

// perCoefficient is what a progressive picture takes: all of its coefficients are kept
// until its end, four bytes each besides the one that is made of it.
const perCoefficient = 5

// progressiveBytes reads the frame header of a progressive picture.
func progressiveBytes(frame []byte) int {
	const fixed, each = 6, 3
	all, most := 0, 1
	if len(frame) < fixed+each {
		return worstBytes
	}
	for c := frame[fixed:]; len(c) >= each; c = c[each:] {
		n := int(c[1]>>4) * int(c[1]&15)
		all, most = all+n, max(most, n)
	}
	return max((perCoefficient*all+most-1)/most, perCoefficient)
}

// scansOf counts what may be the beginning of a scan, wherever it stands: a scan of a
// few bytes goes over the whole of a progressive picture, which takes as long as one of
// megabytes.
func scansOf(content []byte) int {
	n := 0
	for {
		at := bytes.Index(content, []byte{0xff, 0xda, 0})
		if at < 0 || len(content) < at+5 {
			return n
		}
		content = content[at+3:]
		if size, channels := content[0], content[1]; channels >= 1 && channels <= 4 && size == 6+2*channels {
			n++
		}
	}
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
