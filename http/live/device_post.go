package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// postRead is how long a body may take: a megabyte over a slow mobile line.
const postRead = 30 * time.Second

// The media types of a POST.
const (
	typeJSON     = "application/json"
	typeProtobuf = "application/x-protobuf"
)

// Frames handles POST /api/v1/device/frames: it takes the frames, waits for
// storage up to PostWait, and answers what is acknowledged by then. What is not
// may be sent again. While storage takes nothing, the frames go to the live maps
// and the answer is 503 with the time at which to send them again, unless all of
// them are acknowledged.
func (d *Devices) Frames(w http.ResponseWriter, r *http.Request) {
	if err := d.post(w, r); err != nil {
		d.cfg.Refuse(w, r, err)
	}
}

func (d *Devices) post(w http.ResponseWriter, r *http.Request) error {
	token, err := deviceToken(r)
	if err != nil {
		return err
	}
	media, gzipped, err := postForm(r)
	if err != nil {
		d.cfg.Ingest.Refused(wire.ContentUnknown)
		return err
	}
	if d.stopping.Err() != nil {
		return schema.Errorf(schema.Unavailable, "", "the server is stopping")
	}
	session, err := d.cfg.Ingest.OpenRequest(r.Context(), token)
	if err != nil {
		return err
	}
	defer session.Close()
	d.cfg.States.Heard(session.Device().Device)
	org := session.Device().Organisation
	if err := d.posts.enter(org); err != nil {
		return err
	}
	defer d.posts.leave(org)
	msg, err := d.readPost(w, r, session, media, gzipped)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), d.cfg.PostWait)
	defer cancel()
	if session.Ready(ctx) != nil {
		return schema.Errorf(schema.Unavailable, "", "what was sent before is not stored yet, try again later")
	}
	rejected, ids := session.Offer(msg), frameIDs(msg)
	if session.Shedding() && !session.Acked(ids) {
		return &schema.Error{Kind: schema.Unavailable, Message: "storage takes nothing at present: the live maps have the frames, send them again later", Err: shedAgain()}
	}
	acks := session.AwaitAcks(ctx, ids)
	setRateLimit(w.Header(), session.RateLimit())
	d.answer(w, media, acks, rejected)
	return nil
}

// setRateLimit tells what is left of the organisation's quota, if it has one.
func setRateLimit(h http.Header, r ingest.RateLimit) {
	if r.Limit == 0 {
		return
	}
	h.Set("RateLimit-Limit", strconv.Itoa(r.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(r.Remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(r.Reset.Seconds()))))
}

// postSlots bounds the POSTs that are handled at once. Each may wait seconds for
// storage: an organisation may use as many as are free beside its own, so that
// one alone cannot use them all.
type postSlots struct {
	limit int

	mu    sync.Mutex
	used  int
	byOrg map[schema.OrganisationID]int
}

// postAgain is when to come again while the organisation's POSTs wait.
const postAgain = again(time.Second)

func (p *postSlots) enter(org schema.OrganisationID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := p.limit - p.used
	if free == 0 {
		return schema.Errorf(schema.Unavailable, "", "%d requests are being handled, which is this server's bound", p.limit)
	}
	if mine := p.byOrg[org]; mine > 0 && mine >= free {
		return &schema.Error{Kind: schema.TooMany, Message: fmt.Sprintf("%d requests of the organisation are being handled; wait for their answers", mine), Err: postAgain}
	}
	p.used++
	p.byOrg[org]++
	return nil
}

func (p *postSlots) leave(org schema.OrganisationID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used--
	if p.byOrg[org]--; p.byOrg[org] == 0 {
		delete(p.byOrg, org)
	}
}

// again is the cause of a refusal that knows when to come again.
type again time.Duration

// Error implements error.
func (a again) Error() string { return "wait " + time.Duration(a).String() }

// RetryAfter tells whoever answers the request.
func (a again) RetryAfter() time.Duration { return time.Duration(a) }

// shedAgain draws when to send what was shed again.
func shedAgain() again { return again(5*time.Second + rand.N(5*time.Second)) }

// postForm returns the media type and whether the body is packed.
func postForm(r *http.Request) (media string, gzipped bool, err error) {
	media, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != typeJSON && media != typeProtobuf {
		return "", false, schema.Errorf(schema.Invalid, "Content-Type", "is %s or %s", typeJSON, typeProtobuf)
	}
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return media, false, nil
	case "gzip":
		return media, true, nil
	default:
		return "", false, schema.Errorf(schema.Invalid, "Content-Encoding", "is gzip, or left out")
	}
}

func (d *Devices) readPost(w http.ResponseWriter, r *http.Request, session *ingest.Session, media string, gzipped bool) (wire.Message, error) {
	// A server without deadlines, as in a test, has nothing to set.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(postRead))
	msg, err := d.decodePost(r, session, media, gzipped)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = &wire.Error{Reason: wire.MessageTooLarge}
	}
	if _, refused := session.Refused(err); err != nil && !refused {
		// The connection broke or was too slow: nobody may be there to read this.
		err = &schema.Error{Kind: schema.Invalid, Field: "body", Message: "could not be read", Err: err}
	}
	return msg, err
}

func (d *Devices) decodePost(r *http.Request, session *ingest.Session, media string, gzipped bool) (wire.Message, error) {
	body, err := wire.ReadBody(r.Body, gzipped, d.cfg.Limits)
	if err != nil {
		// A client that is still writing when the connection closes never reads
		// the answer, and would send the same body again for ever.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, deviceCutoff))
		return wire.Message{}, err
	}
	session.Received(len(body))
	decoder := wire.NewDecoder(d.cfg.Limits, session.Device().Device)
	if media == typeJSON {
		return decoder.JSON(body)
	}
	return decoder.Frames(body)
}

// frameIDs names the frames that an ack may be expected for.
func frameIDs(msg wire.Message) []ingest.FrameID {
	ids := make([]ingest.FrameID, 0, len(msg.Frames)+len(msg.Refused))
	for _, f := range msg.Frames {
		ids = append(ids, ingest.FrameID{BootID: f.BootID, Seq: f.Seq})
	}
	for _, r := range msg.Refused {
		if r.BootID != "" && r.Seq != 0 {
			ids = append(ids, ingest.FrameID{BootID: r.BootID, Seq: r.Seq})
		}
	}
	return ids
}

// postAnswer is the JSON answer to a POST.
type postAnswer struct {
	Ack          []postRange      `json:"ack"`
	Now          schema.EventTime `json:"now"`
	Rejected     []postRejection  `json:"rejected"`
	RejectedMore int              `json:"rejected_more,omitempty"`
}

type postRange struct {
	BootID string `json:"boot_id"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
}

type postRejection struct {
	BootID string `json:"boot_id,omitempty"`
	Seq    uint64 `json:"seq"`
	Index  int    `json:"index"` // -1: the whole frame
	Code   uint16 `json:"code"`
	Reason string `json:"reason"`
}

func (d *Devices) answer(w http.ResponseWriter, media string, acks []wire.BootRange, rejected []wire.Rejection) {
	more := max(0, len(rejected)-maxRejections)
	rejected = rejected[:len(rejected)-more]
	body, err := encodeAnswer(media, acks, rejected, more, d.cfg.Now())
	if err != nil {
		panic("BUG: an answer cannot be encoded: " + err.Error())
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the device asks again when it did not get this
}

func encodeAnswer(media string, acks []wire.BootRange, rejected []wire.Rejection, more int, now time.Time) ([]byte, error) {
	if media == typeProtobuf {
		return proto.Marshal(&wirepb.FramesAnswer{
			Ack: pbRanges(acks), NowMs: now.UnixMilli(), Rejected: pbRejections(rejected), RejectedMore: uint64(more),
		})
	}
	a := postAnswer{Ack: []postRange{}, Now: schema.EventTimeOf(now), Rejected: []postRejection{}, RejectedMore: more}
	for _, r := range acks {
		a.Ack = append(a.Ack, postRange{r.BootID, r.From, r.To})
	}
	for _, r := range rejected {
		a.Rejected = append(a.Rejected, postRejection{r.BootID, r.Seq, r.Index, uint16(r.Reason), reasonText(r.Reason)})
	}
	return json.Marshal(a)
}
