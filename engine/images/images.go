package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"mybeacon/schema"
)

// The media types that are read and made.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
)

// Limits bound what is decoded and what becomes of it.
type Limits struct {
	Bytes  int // of the file that came
	Pixels int // of the picture in it
	Side   int // pixels of the longer side of what is made; larger pictures are made smaller
}

// ForPlans are the limits of a plan's picture: 6,000 pixels over a hall of 100 m
// are finer than what anybody draws.
func ForPlans() Limits { return Limits{Bytes: 20 << 20, Pixels: 50_000_000, Side: 6000} }

// ForPhotos are the limits of a photo of a person or a thing.
func ForPhotos() Limits { return Limits{Bytes: 5 << 20, Pixels: 50_000_000, Side: 512} }

// maxMemory bounds what decoding one picture may take, in bytes; the limit of
// pixels alone would let some kinds of picture take several times as much.
const maxMemory = 400 << 20

// maxScans bounds the passes over a progressive picture; programs make some ten.
const maxScans = 100

// interlaceAt is where a PNG says that it comes in passes; its header's place is fixed.
const interlaceAt = 28

// decodeTime bounds how long one picture holds up the others.
const decodeTime = 20 * time.Second

// Picture is one of our own making.
type Picture struct {
	Content   []byte
	MediaType string // [JPEG] or [PNG]
	Width     int    // pixels
	Height    int
}

// Decoder makes pictures.
type Decoder struct {
	turn  chan struct{}
	clock func() time.Time
}

// NewDecoder returns a decoder.
func NewDecoder() *Decoder { return &Decoder{turn: make(chan struct{}, 1), clock: time.Now} }

// Fit makes a picture of the whole of what came, upright as its camera was held.
// Invalid: it is no JPEG or PNG that can be read; TooLarge: a limit is exceeded.
func (d *Decoder) Fit(ctx context.Context, content []byte, limits Limits) (Picture, error) {
	return d.make(ctx, content, limits, func(b image.Rectangle) image.Rectangle { return b })
}

// Square makes a square picture of the middle of what came; it is [Decoder.Fit]
// otherwise.
func (d *Decoder) Square(ctx context.Context, content []byte, limits Limits) (Picture, error) {
	return d.make(ctx, content, limits, middle)
}

func middle(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	corner := image.Pt(b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2)
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}

func (d *Decoder) make(ctx context.Context, content []byte, limits Limits, part func(image.Rectangle) image.Rectangle) (Picture, error) {
	h, err := look(content, limits)
	if err != nil {
		return Picture{}, err
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return Picture{}, &schema.Error{Kind: schema.Unavailable, Message: "other pictures are being read, try again later", Err: ctx.Err()}
	}
	defer func() { <-d.turn }()
	decoded, err := h.decode(&timed{bytes.NewReader(content), d.clock, d.clock().Add(decodeTime)})
	if errors.Is(err, errSlow) {
		return Picture{}, &schema.Error{Kind: schema.TooLarge, Field: "image", Message: "takes too long to read: make it smaller, or save it as a plain JPEG, not a progressive one", Err: err}
	}
	if err != nil {
		return Picture{}, unreadable(err)
	}
	scaled := shrink(decoded, part(decoded.Bounds()), limits.Side)
	return encode(upright(scaled, h.orientation), h.mediaType, limits.Bytes)
}

// timed reads until its time is over, which ends the decoding.
type timed struct {
	from  io.Reader
	clock func() time.Time
	until time.Time
}

var errSlow = errors.New("decoding took too long")

// Read implements [io.Reader].
func (t *timed) Read(p []byte) (int, error) {
	if t.clock().After(t.until) {
		return 0, errSlow
	}
	return t.from.Read(p)
}

// header is what is known of a picture before it is decoded.
type header struct {
	mediaType   string
	decode      func(io.Reader) (image.Image, error)
	orientation int // as in EXIF, 1 to 8
}

// look reads the header and refuses what is too large to decode.
func look(content []byte, limits Limits) (header, error) {
	if len(content) > limits.Bytes {
		return header{}, schema.Errorf(schema.TooLarge, "image", "the file has %d bytes; at most %d are taken", len(content), limits.Bytes)
	}
	var h header
	var config image.Config
	var err error
	var perPixel int
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		h = header{mediaType: JPEG, decode: jpeg.Decode}
		if scansOf(content) > maxScans {
			return h, schema.Errorf(schema.TooLarge, "image", "the picture is drawn in more than %d passes: save it as a plain JPEG, not a progressive one", maxScans)
		}
		var facts jpegFacts
		if facts, err = readJPEG(content); err != nil {
			return h, unreadable(err)
		}
		h.orientation, perPixel = facts.orientation, facts.perPixel
		config, err = jpeg.DecodeConfig(bytes.NewReader(content))
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		h = header{mediaType: PNG, decode: png.Decode, orientation: 1}
		config, err = png.DecodeConfig(bytes.NewReader(content))
		perPixel = bytesOf(config.ColorModel)
		if err == nil && content[interlaceAt] != 0 { // its passes are pictures of their own, together as large
			perPixel *= 2
		}
	default:
		return h, schema.Errorf(schema.Invalid, "image", "is neither JPEG nor PNG; save it as one of these")
	}
	if err != nil {
		return h, unreadable(err)
	}
	return h, affordable(config, perPixel, limits)
}

// bytesOf returns how much memory a pixel takes.
func bytesOf(model color.Model) int {
	switch model {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	default:
		return 4
	}
}

func affordable(config image.Config, perPixel int, limits Limits) error {
	if config.Width <= 0 || config.Height <= 0 {
		return schema.Errorf(schema.Invalid, "image", "has no pixels")
	}
	most := min(limits.Pixels, maxMemory/perPixel)
	if config.Width > most/config.Height {
		const text = "the picture has %d x %d pixels; at most %d"
		if most < limits.Pixels {
			return schema.Errorf(schema.TooLarge, "image", text+" of its kind are taken: make it smaller, or save it as a plain JPEG, not a progressive one", config.Width, config.Height, most)
		}
		return schema.Errorf(schema.TooLarge, "image", text+" are taken: make it smaller", config.Width, config.Height, most)
	}
	return nil
}

func unreadable(err error) error {
	return &schema.Error{Kind: schema.Invalid, Field: "image", Message: "cannot be read; the file is damaged or of a rare kind: save it again as JPEG or PNG", Err: err}
}

// The quality of JPEGs: lines of a plan must not get a halo.
const quality = 90

// encode keeps to the kind that came, but makes a JPEG of a large opaque PNG: what
// was compressed by a better program must not grow beyond what is taken.
func encode(picture *image.RGBA, mediaType string, most int) (Picture, error) {
	p := Picture{MediaType: mediaType, Width: picture.Rect.Dx(), Height: picture.Rect.Dy()}
	var out bytes.Buffer
	if mediaType == PNG {
		if err := png.Encode(&out, picture); err != nil {
			return p, fmt.Errorf("encode a picture: %w", err)
		}
		if out.Len() <= most || !picture.Opaque() {
			p.Content = out.Bytes()
			return p, refuseOver(out.Len(), most)
		}
		out.Reset()
		p.MediaType = JPEG
	}
	err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
	p.Content = out.Bytes()
	if err != nil {
		return p, fmt.Errorf("encode a picture: %w", err)
	}
	return p, refuseOver(out.Len(), most)
}

var errGrown = errors.New("it grew")

func refuseOver(size, most int) error {
	if size <= most {
		return nil
	}
	return &schema.Error{Kind: schema.TooLarge, Field: "image", Message: fmt.Sprintf("the picture takes %d bytes; at most %d are kept: make it smaller", size, most), Err: errGrown}
}
