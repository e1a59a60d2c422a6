package http_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// Note is an object of the tests: a location by its name.
type Note struct {
	ID   schema.LocationID `json:"id"`
	Text string            `json:"text"`
	Seen int64             `json:"seen" doc:"Changes at every reading"`
}

type noteOutput struct{ Body Note }

type noteInput struct {
	ID   string `path:"id"`
	Body struct {
		Text string `json:"text" minLength:"1"`
	}
}

type newNote struct {
	Body struct {
		Text   string `json:"text" minLength:"1"`
		Secret bool   `json:"secret,omitempty"`
	}
}

type newNoteOutput struct {
	Body struct {
		ID    string `json:"id"`
		Token string `json:"token,omitempty"`
	}
}

// notes are routes over a real table, as a product has them.
type notes struct {
	*shelltest.Server
	org   postgres.Organisation
	id    schema.LocationID
	reads atomic.Int64
	made  atomic.Int64
	// before is called by a change between its check and its transaction, after by a
	// creation when it is committed.
	before func(context.Context)
	after  func(context.Context)
}

func startNotes(t testing.TB, configure func(*shell.Config)) *notes {
	t.Helper()
	n := &notes{before: func(context.Context) {}, after: func(context.Context) {}}
	n.Server = shelltest.Start(t, configure, func(s *shelltest.Server) { n.register(s) })
	n.org = postgrestest.Organisation(t, n.DB, "notes", "ble")
	n.Account(n.org, "owner@example.com", "owner")
	n.Account(n.org, "second@example.com", "owner")
	n.id = n.insert(t, "first")
	return n
}

func (n *notes) insert(t testing.TB, text string) schema.LocationID {
	t.Helper()
	l, err := n.DB.CreateLocation(context.Background(), n.org.ID, postgres.Location{Name: text, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	return l.ID
}

func (n *notes) path() string { return "/api/v1/client/notes/" + n.id.String() }

func (n *notes) register(s *shelltest.Server) {
	const path = "/api/v1/client/notes"
	shell.Route(s.Server, shell.May(access.View), shell.Volatile(huma.Operation{OperationID: "note", Method: "GET", Path: path + "/{id}"}, "seen"), n.get)
	shell.Route(s.Server, shell.May(access.EditPlans), huma.Operation{OperationID: "change-note", Method: "PATCH", Path: path + "/{id}"}, n.change)
	shell.Route(s.Server, shell.May(access.EditPlans), huma.Operation{OperationID: "delete-part", Method: "DELETE", Path: path + "/{id}/parts/{part}", DefaultStatus: 204},
		func(ctx context.Context, in *struct {
			ID   string `path:"id"`
			Part string `path:"part"`
		}) (*struct{}, error) {
			return nil, n.set(ctx, in.ID, "without "+in.Part)
		})
	shell.Route(s.Server, shell.May(access.EditPlans), huma.Operation{OperationID: "new-note", Method: "POST", Path: path, DefaultStatus: http.StatusCreated}, n.create)
	shell.Route(s.Server, shell.May(access.View), huma.Operation{OperationID: "notes", Method: "GET", Path: path}, n.list)
	shell.Route(s.Server, shell.May(access.EditPlans), huma.Operation{OperationID: "lonely", Method: "PUT", Path: "/api/v1/client/lonely/{id}"},
		func(context.Context, *noteInput) (*noteOutput, error) { return &noteOutput{}, nil })
}

func (n *notes) get(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*noteOutput, error) {
	id, err := schema.ParseID[schema.LocationID](in.ID)
	if err != nil {
		return nil, schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	l, err := n.DB.Location(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return &noteOutput{Note{ID: l.ID, Text: l.Name, Seen: n.reads.Add(1)}}, err
}

func (n *notes) change(ctx context.Context, in *noteInput) (*noteOutput, error) {
	n.before(ctx)
	if err := n.set(ctx, in.ID, in.Body.Text); err != nil {
		return nil, err
	}
	return n.get(ctx, &struct {
		ID string `path:"id"`
	}{in.ID})
}

func (n *notes) set(ctx context.Context, id, text string) error {
	return n.DB.Change(ctx, shell.PrincipalOf(ctx).Scope(), "core", func(tx postgres.Tx) error {
		tx.Unrecorded("a test")
		tag, err := tx.Exec(ctx, `UPDATE location SET name = $2 WHERE id = $1::text::uuid`, id, text)
		if err == nil && tag.RowsAffected() == 0 {
			err = pgx.ErrNoRows
		}
		return postgres.Explain(err, "set", nil)
	})
}

func (n *notes) create(ctx context.Context, in *newNote) (*newNoteOutput, error) {
	l, err := n.DB.CreateLocation(ctx, n.org.ID, postgres.Location{Name: in.Body.Text, TimeZone: "UTC"})
	if err != nil {
		return nil, err
	}
	n.made.Add(1)
	n.after(ctx)
	out := &newNoteOutput{}
	out.Body.ID = l.ID.String()
	if in.Body.Secret {
		out.Body.Token = "mbt_shown-once"
	}
	return out, nil
}

type listOfNotes struct{ shell.PageInput }

func (n *notes) list(ctx context.Context, in *listOfNotes) (*shell.ListOutput[Note], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := n.DB.Locations(ctx, shell.PrincipalOf(ctx).Scope(), postgres.LocationFilter{}, page)
	return shell.Paged(&in.PageInput, found, next, func(l postgres.Location) Note { return Note{ID: l.ID, Text: l.Name} }), err
}
