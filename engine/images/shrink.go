package images

import (
	"image"
	"image/draw"
)

// shrink returns the part of the picture with a longer side of at most so many
// pixels; each is the mean of those that it stands for. A smaller part stays as it
// is. The picture is converted band by band: a second one of its size in memory is
// what the limits do not count.
func shrink(src image.Image, part image.Rectangle, most int) *image.RGBA {
	w, h := part.Dx(), part.Dy()
	if longer := max(w, h); longer > most {
		w, h = max(1, w*most/longer), max(1, h*most/longer)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == part.Dx() && h == part.Dy() {
		draw.Draw(dst, dst.Rect, src, part.Min, draw.Src)
		return dst
	}
	band := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()/h+1))
	for y := range h {
		top, bottom := y*part.Dy()/h, (y+1)*part.Dy()/h
		rows := image.Rect(0, 0, part.Dx(), bottom-top)
		draw.Draw(band, rows, src, part.Min.Add(image.Pt(0, top)), draw.Src)
		average(dst.Pix[y*dst.Stride:][:4*w], band, rows)
	}
	return dst
}

// average writes one row of means of the band's rows.
func average(row []byte, band *image.RGBA, rows image.Rectangle) {
	w := len(row) / 4
	for x := range w {
		left, right := x*rows.Dx()/w, (x+1)*rows.Dx()/w
		var sum [4]uint64
		for y := range rows.Dy() {
			line := band.Pix[y*band.Stride+4*left : y*band.Stride+4*right]
			for i := 0; i < len(line); i += 4 {
				for c := range sum {
					sum[c] += uint64(line[i+c])
				}
			}
		}
		n := uint64(rows.Dy() * (right - left))
		for c := range sum {
			row[4*x+c] = byte((sum[c] + n/2) / n)
		}
	}
}

// upright turns the picture as EXIF's orientation says how the camera was held.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	from := source(orientation, w, h)
	if from == nil {
		return src
	}
	if orientation >= 5 {
		w, h = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := from(x, y)
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return dst
}

// source returns where a pixel of the upright picture comes from in one of w x h
// pixels; nil: from the same place.
func source(orientation, w, h int) func(x, y int) (int, int) {
	switch orientation {
	case 2:
		return func(x, y int) (int, int) { return w - 1 - x, y }
	case 3:
		return func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4:
		return func(x, y int) (int, int) { return x, h - 1 - y }
	case 5:
		return func(x, y int) (int, int) { return y, x }
	case 6:
		return func(x, y int) (int, int) { return y, h - 1 - x }
	case 7:
		return func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8:
		return func(x, y int) (int, int) { return w - 1 - y, x }
	}
	return nil
}
