package http_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"

	"mybeacon/http/shelltest"
)

// unready are operations that need more than a store, with where they are tested.
var unready = map[string]string{
	"create-ble-survey-tap": "somebody must carry a tag that is heard: engine/modules/ble",
}

// otherBodies take the place of those that change nothing.
var otherBodies = map[string]func(w tenant) any{
	"change-devices": func(w tenant) any {
		return map[string]any{"ids": []any{w.ids["spare"]}, "change": map[string]any{"modules": map[string]any{"ble": false}}}
	},
	"change-own-organisation": func(tenant) any { return map[string]any{"name": "renamed"} },
	"set-ble-drawing": func(tenant) any {
		return map[string]any{"walls": [][][2]float64{{{1, 1}, {2, 1}}}, "rooms": []any{}, "doors": []any{}, "labels": []any{}, "no_go": []any{}}
	},
	"set-ble-plan-image": func(tenant) any { return picture() },
	"set-ble-tag-photo":  func(tenant) any { return picture() },
}

// freshly says what is made for an operation that needs an object of its own: where,
// and with which body.
var freshly = map[string]struct {
	path string
	body func(w tenant) any
}{
	"repeat-invitation": {"/api/v1/client/users", func(tenant) any { return map[string]any{"email": "again@example.com", "role": "viewer"} }},
	"delete-ble-zone":   {"/api/v1/client/ble/plans/{plan}/zones", func(tenant) any { return map[string]any{"name": "new", "polygon": square} }},
	"delete-location":   {"/api/v1/client/locations", func(tenant) any { return map[string]any{"name": "to be deleted"} }},
	"delete-ble-plan": {"/api/v1/client/ble/plans", func(w tenant) any {
		return map[string]any{"location_id": w.ids["location"], "name": "to be deleted", "bounds": bounds}
	}},
}

// What changes anything in an organisation stands in its log: every POST, PUT, PATCH
// and DELETE of the document below /client leaves an entry at least.
func TestMutationsAreWrittenDown(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	d, _ := readDocument(t, s)
	mine, owner := ownerOf(t, s, "mine")
	hall := settle(t, s, warehouse, mine, owner, 1)
	tried := 0
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		routes := d.routes()
		if method == "DELETE" {
			slices.Reverse(routes) // parts before what they are parts of
		}
		for _, r := range routes {
			if r.method != method || strings.HasPrefix(r.path, "/api/v1/auth/") || unready[r.OperationID] != "" {
				continue
			}
			tried++
			c := goodCall(t, d, r, hall)
			before := entries(t, s)
			got := send(owner, method, c.address(), c.body)
			switch {
			case got.StatusCode >= 400:
				t.Errorf("%s %s (%s) with a good body: %d %s", method, c.address(), r.OperationID, got.StatusCode, got.Bytes)
			case entries(t, s) == before:
				t.Errorf("%s %s (%s) left nothing in the log", method, c.address(), r.OperationID)
			}
		}
	}
	if tried < 30 {
		t.Errorf("only %d routes were tried: the document was not read rightly", tried)
	}
	t.Logf("%d routes tried", tried)
}

// goodCall is the tenant's request, which changes something and can.
func goodCall(t *testing.T, d document, r route, w tenant) call {
	t.Helper()
	c := ownCall(t, d, r, w)
	if other, ok := otherBodies[r.OperationID]; ok {
		c.body = other(w)
	}
	if fresh, ok := freshly[r.OperationID]; ok {
		var made struct{ ID string }
		w.owner.Want(201, "POST", strings.ReplaceAll(fresh.path, "{plan}", w.ids["plan"]), fresh.body(w), &made)
		c.ids[slices.Max(slices.Collect(maps.Keys(c.ids)))] = made.ID
	}
	return c
}

// picture is one that nothing has yet.
func picture() dot {
	canvas := image.NewGray(image.Rect(0, 0, 9, 9))
	canvas.Set(3, 3, color.White)
	var content bytes.Buffer
	if err := png.Encode(&content, canvas); err != nil {
		panic("BUG: " + err.Error())
	}
	return dot(content.String())
}

func entries(t *testing.T, s *shelltest.Server) (n int) {
	t.Helper()
	if err := s.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_entry`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
