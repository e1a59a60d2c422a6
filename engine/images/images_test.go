package images_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/images"
	"mybeacon/schema"
)

// quarters is a picture with a colour in each corner.
func quarters(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range corners {
		at := image.Rect(0, 0, w/2, h/2).Add(image.Pt(i%2*w/2, i/2*h/2))
		draw.Draw(m, at, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return m
}

var corners = []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}

// names tells the colours of the corners, row by row.
func names(t *testing.T, p images.Picture) string {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(p.Content))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	if b.Dx() != p.Width || b.Dy() != p.Height {
		t.Errorf("the picture is %v and is said to be %d x %d", b, p.Width, p.Height)
	}
	var out strings.Builder
	for i := range 4 {
		r, g, b, _ := m.At(b.Dx()/4+i%2*b.Dx()/2, b.Dy()/4+i/2*b.Dy()/2).RGBA()
		for j, c := range corners {
			if near(r, c.R) && near(g, c.G) && near(b, c.B) {
				out.WriteByte("rgbw"[j])
			}
		}
	}
	return out.String()
}

func near(a uint32, b uint8) bool { return a>>8+8 >= uint32(b) && a>>8 <= uint32(b)+8 }

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// held adds what a camera writes: how it was held, and where.
func held(content []byte, orientation uint16, order binary.AppendByteOrder) []byte {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, field := range [][2]uint16{{0x010f, 7}, {0x0112, orientation}} { // the maker's name comes first
		tiff = order.AppendUint16(order.AppendUint16(tiff, field[0]), 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, field[1]), 0)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	body = append(body, "55.75N 37.62E"...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	out := append([]byte{}, content[:2]...)
	return append(append(append(out, segment...), body...), content[2:]...)
}

func TestFit(t *testing.T) {
	d := images.NewDecoder()
	for name, content := range map[string][]byte{images.PNG: asPNG(t, quarters(60, 40)), images.JPEG: asJPEG(t, quarters(60, 40))} {
		p, err := d.Fit(t.Context(), content, images.ForPlans())
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, p); got != "rgbw" || p.MediaType != name || p.Width != 60 || p.Height != 40 {
			t.Errorf("%s: got %s, %s of %d x %d", name, got, p.MediaType, p.Width, p.Height)
		}
	}
}

// Larger pictures are made smaller, each pixel the mean of what it stands for.
func TestShrink(t *testing.T) {
	stripes := image.NewGray(image.Rect(0, 0, 100, 31))
	for i := range stripes.Pix {
		stripes.Pix[i] = uint8(i % 2 * 200)
	}
	limits := images.ForPlans()
	limits.Side = 50
	p, err := images.NewDecoder().Fit(t.Context(), asPNG(t, stripes), limits)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(p.Content))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds() != image.Rect(0, 0, 50, 15) {
		t.Fatalf("got %v", m.Bounds())
	}
	for y := range 15 {
		for x := range 50 {
			if r, _, _, _ := m.At(x, y).RGBA(); r>>8 != 100 {
				t.Fatalf("(%d, %d) is %d", x, y, r>>8)
			}
		}
	}
	limits.Side = 30
	if p, err = images.NewDecoder().Fit(t.Context(), asPNG(t, quarters(90, 50)), limits); err != nil || names(t, p) != "rgbw" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestSquare(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 100, 40))
	draw.Draw(m, m.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(30, 0, 70, 40), quarters(40, 40), image.Point{}, draw.Src)
	limits := images.ForPhotos()
	limits.Side = 20
	p, err := images.NewDecoder().Square(t.Context(), asPNG(t, m), limits)
	if err != nil || p.Width != 20 || p.Height != 20 || names(t, p) != "rgbw" {
		t.Errorf("got %d x %d, %v", p.Width, p.Height, err)
	}
}

// Pictures stand as the camera was held, and say nothing else of it.
func TestOrientation(t *testing.T) {
	plain := asJPEG(t, quarters(64, 32))
	for orientation, want := range map[uint16]string{0: "rgbw", 1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb", 9: "rgbw"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			p, err := images.NewDecoder().Fit(t.Context(), held(plain, orientation, order), images.ForPlans())
			if err != nil {
				t.Fatal(err)
			}
			if got := names(t, p); got != want {
				t.Errorf("orientation %d: got %s, want %s", orientation, got, want)
			}
			if turned := orientation >= 5 && orientation <= 8; turned != (p.Width == 32) {
				t.Errorf("orientation %d: got %d x %d", orientation, p.Width, p.Height)
			}
			if bytes.Contains(p.Content, []byte("Exif")) || bytes.Contains(p.Content, []byte("37.62E")) {
				t.Errorf("orientation %d: where it was taken is in the picture", orientation)
			}
		}
	}
}

// claim is a PNG that says to have so many pixels.
func claim(w, h uint32, depth, kind byte) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	ihdr = append(ihdr, depth, kind, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(out, ihdr...), crc32.ChecksumIEEE(ihdr))
}

// progressive is the beginning of a JPEG that says to be one, of so many pixels.
func progressive(w, h uint16) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xc2, 0, 17, 8}
	out = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(out, h), w)
	out = append(out, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(out, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
}

// interlaced is a claim of 16 bits per channel that comes in passes.
func interlaced(w, h uint32) []byte {
	out := claim(w, h, 16, 6)
	out[28] = 1
	return binary.BigEndian.AppendUint32(out[:29], crc32.ChecksumIEEE(out[12:29]))
}

// A picture that takes too long to decode is given up, and the next has its turn.
func TestTooSlow(t *testing.T) {
	d := images.NewDecoder()
	now := time.Now()
	d.SetClock(func() time.Time {
		now = now.Add(11 * time.Second)
		return now
	})
	m := image.NewGray(image.Rect(0, 0, 200, 200))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = uint8(random.IntN(256))
	}
	for range 2 {
		if _, err := d.Fit(t.Context(), asJPEG(t, m), images.ForPlans()); schema.KindOf(err) != schema.TooLarge {
			t.Errorf("got %v", err)
		}
	}
	if _, err := images.NewDecoder().Fit(t.Context(), asJPEG(t, m), images.ForPlans()); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	limits := images.ForPlans()
	f := func(content []byte, kind schema.Kind, says string) {
		t.Helper()
		_, err := images.NewDecoder().Fit(t.Context(), content, limits)
		if schema.KindOf(err) != kind || !strings.HasPrefix(err.Error(), "image: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %v about %q", err, kind, says)
		}
	}
	whole := asPNG(t, quarters(40, 40))
	f(nil, schema.Invalid, "neither JPEG nor PNG")
	f([]byte("GIF89a\x01\x00\x01\x00"), schema.Invalid, "neither JPEG nor PNG")
	f([]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), schema.Invalid, "neither JPEG nor PNG")
	f(whole[:len(whole)/2], schema.Invalid, "damaged")
	f(whole[:20], schema.Invalid, "damaged")
	f([]byte("\xff\xd8\xff"), schema.Invalid, "damaged")
	f(bytes.Repeat([]byte{0}, limits.Bytes+1), schema.TooLarge, "bytes")
	f(claim(30_000, 30_000, 8, 2), schema.TooLarge, "30000 x 30000")
	f(claim(1<<31-1, 1<<31-1, 8, 2), schema.Invalid, "") // Go's decoder refuses the product itself
	f(claim(1<<30, 1, 8, 0), schema.TooLarge, "make it smaller")
	f(claim(0, 5, 8, 2), schema.Invalid, "")
	f(claim(8_000, 6_600, 16, 6), schema.TooLarge, "make it smaller")
	f(progressive(6_000, 5_000), schema.TooLarge, "not a progressive one")
	jpegOf := asJPEG(t, quarters(40, 40))
	f(append([]byte("\xff\xd8\xff\xe0\x00\x02\x00"), jpegOf[2:]...), schema.Invalid, "damaged")
	f(append([]byte("\xff\xd8\xff\x00"), jpegOf[2:]...), schema.Invalid, "damaged")
	f(append([]byte("\xff\xd8\xff\xd0"), jpegOf[2:]...), schema.Invalid, "damaged")
	// What a decoder passes over hides no progressive frame from the count.
	f(append([]byte("\xff\xd8\xff\xe0\x00\x02\x00"), progressive(6_000, 5_000)[2:]...), schema.Invalid, "damaged")
	f(append(jpegOf, bytes.Repeat([]byte("\xff\xda\x00\x08\x01"), 101)...), schema.TooLarge, "passes")
	f(interlaced(6_000, 5_000), schema.TooLarge, "6000 x 5000")
	limits.Pixels = 1599
	f(whole, schema.TooLarge, "40 x 40")
}

// A picture that cannot be kept as small as it came becomes a JPEG.
func TestLargePNG(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	scan := image.NewGray(image.Rect(0, 0, 256, 256)) // ours has three channels
	for i := range scan.Pix {
		scan.Pix[i] = uint8(100 + random.IntN(8))
	}
	content := asPNG(t, scan)
	limits := images.Limits{Bytes: len(content), Pixels: 1 << 20, Side: 256}
	p, err := images.NewDecoder().Fit(t.Context(), content, limits)
	if err != nil || p.MediaType != images.JPEG || len(p.Content) > limits.Bytes {
		t.Fatalf("got %s, %d bytes of %d, %v", p.MediaType, len(p.Content), limits.Bytes, err)
	}
	limits.Bytes *= 4
	if p, err = images.NewDecoder().Fit(t.Context(), content, limits); err != nil || p.MediaType != images.PNG {
		t.Fatalf("got %s, %v", p.MediaType, err)
	}
}

// Who waits for another's picture can give up.
func TestGiveUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := images.NewDecoder()
	content := asPNG(t, quarters(4, 4))
	for range 100 { // a free turn and an ended context are both ready
		if _, err := d.Fit(ctx, content, images.ForPhotos()); err != nil && schema.KindOf(err) != schema.Unavailable {
			t.Fatal(err)
		}
	}
	if _, err := d.Fit(t.Context(), content, images.ForPhotos()); err != nil {
		t.Error(err)
	}
}

func FuzzFit(f *testing.F) {
	f.Add(asPNG(f, quarters(6, 4)))
	f.Add(asJPEG(f, quarters(6, 4)))
	f.Add(held(asJPEG(f, quarters(6, 4)), 6, binary.BigEndian))
	f.Add(claim(30_000, 30_000, 8, 2))
	f.Add(progressive(6, 5))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	d := images.NewDecoder()
	limits := images.Limits{Bytes: 1 << 16, Pixels: 1 << 16, Side: 32}
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := d.Fit(t.Context(), content, limits)
		if err != nil {
			if k := schema.KindOf(err); k != schema.Invalid && k != schema.TooLarge {
				t.Fatalf("got %v", err)
			}
			return
		}
		if p.Width < 1 || p.Height < 1 || max(p.Width, p.Height) > limits.Side || len(p.Content) > limits.Bytes {
			t.Fatalf("got %d x %d in %d bytes", p.Width, p.Height, len(p.Content))
		}
		if again, err := d.Fit(t.Context(), p.Content, limits); err != nil || again.Width != p.Width || again.Height != p.Height {
			t.Fatalf("our own picture is read as %d x %d, %v", again.Width, again.Height, err)
		}
	})
}
