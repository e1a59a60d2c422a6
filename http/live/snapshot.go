package live

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	hub "mybeacon/engine/live"
	"mybeacon/schema"
)

// maxAnswer bounds the messages of one answer, some 8 MiB; the rest is what changed
// since the last of them.
const maxAnswer = 32

// Snapshot answers GET /api/v1/live/snapshot: what a socket would have been told by
// now, for clients whose proxy lets none through. The rights, the bounds and what is
// told are the socket's.
func (m *Maps) Snapshot(w http.ResponseWriter, r *http.Request) {
	viewer, err := m.cfg.Viewers.Viewer(r)
	if err != nil {
		m.refused[refusedAuth].Add(1)
		m.cfg.Refuse(w, r, err)
		return
	}
	location, options, err := looked(r.URL.Query())
	if err == nil {
		err = viewer.MayLook(r.Context(), location)
	}
	if err == nil {
		if err = m.enter(viewer.Key); err == nil {
			defer m.leave(viewer.Key)
		}
	}
	if err != nil {
		m.cfg.Refuse(w, r, unavailable(err))
		return
	}
	options.Nameless = viewer.Nameless
	if err := m.answer(w, r, location, options); err != nil {
		m.cfg.Refuse(w, r, unavailable(err))
	}
}

// answer returns an error only while nothing was written.
func (m *Maps) answer(w http.ResponseWriter, r *http.Request, location schema.LocationID, options hub.Options) error {
	sub, err := m.cfg.Hub.Subscribe(location, options)
	if err != nil {
		return err
	}
	defer sub.Close()
	buf, err := sub.Next(r.Context(), nil) // the first is there at once
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// A client that is gone needs no answer, here and below.
	_, _ = w.Write(append([]byte(`{"messages":[`), buf...))
	for n := 1; n < maxAnswer && sub.More(); n++ {
		if buf, err = sub.Next(r.Context(), buf); err != nil {
			break // what was written is whole: the rest is asked for by its seq
		}
		_, _ = w.Write(append([]byte{','}, buf...))
	}
	_, _ = w.Write([]byte("]}\n"))
	return nil
}

// unavailable says it in the words of a request that the server stops.
func unavailable(err error) error {
	if errors.Is(err, hub.ErrClosed) {
		return &schema.Error{Kind: schema.Unavailable, Message: "the server restarts, try again in some seconds", Err: err}
	}
	return err
}

// looked reads the request's parameters.
func looked(query url.Values) (location schema.LocationID, options hub.Options, err error) {
	for name, values := range query {
		if !slices.Contains([]string{"location", "since", "ticket"}, name) {
			return location, options, schema.Errorf(schema.Invalid, name, "is not known; there are location and since")
		}
		if len(values) > 1 {
			return location, options, schema.Errorf(schema.Invalid, name, "may be given once")
		}
	}
	if location, err = schema.ParseID[schema.LocationID](query.Get("location")); err != nil || location.IsZero() {
		return location, options, schema.Errorf(schema.Invalid, "location", "must be the location's id")
	}
	if since := query.Get("since"); since != "" {
		epoch, seq, _ := strings.Cut(since, ".")
		n, err := strconv.ParseUint(seq, 10, 64)
		if err != nil || epoch == "" {
			return location, options, schema.Errorf(schema.Invalid, "since", "must be epoch and seq of the last message with a dot between them, as in 0123456789abcdef.42")
		}
		options.Since = &hub.Cursor{Epoch: epoch, Seq: n}
	}
	return location, options, nil
}
