package http

import (
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Views writes down what people look at.
type Views interface {
	// Viewed takes the entry, by who acts in the context; an error means that it
	// cannot be written down.
	Viewed(context.Context, audit.Entry) error
}

// Viewed writes down that data were looked at.
func (s *Server) Viewed(ctx context.Context, e audit.Entry) error {
	if s.cfg.Views == nil {
		return s.db.Append(ctx, postgres.AllOrganisations(), e)
	}
	return s.cfg.Views.Viewed(ctx, e)
}

// noted writes down, in the log of each organisation that the answer shows, that a
// super-admin looked at what is its own without having switched into it. What he does
// to run the system, and what he does inside an organisation, is written down as such.
func (s *Server) noted(ctx context.Context, rule Rule, op *huma.Operation, in, out any) error {
	if rule.level != may || rule.action == access.Administer || op.Method != http.MethodGet {
		return nil
	}
	p := PrincipalOf(ctx)
	if !p.Rights.SuperAdmin {
		return nil
	}
	for _, organisation := range shown(ctx, in, out) {
		if organisation == p.Rights.Organisation {
			continue
		}
		err := s.Viewed(ctx, audit.Entry{
			Organisation: organisation, Action: audit.View, Object: audit.Object{Kind: "data", ID: op.OperationID, Name: op.Summary},
			Fields: []audit.Field{audit.Made("without_switch", "yes")},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type sawKey struct{}

// Saw says whose object the answer shows, where it does not say so itself by a field
// OrganisationID, which may be json:"-".
func Saw(ctx context.Context, organisation schema.OrganisationID) {
	if saw, ok := ctx.Value(sawKey{}).(*[]schema.OrganisationID); ok && !organisation.IsZero() {
		*saw = append(*saw, organisation)
	}
}

// shown returns whose objects the answer holds: as its objects say, or else as was
// asked. Where neither says, it is the system's log.
func shown(ctx context.Context, in, out any) []schema.OrganisationID {
	var found []schema.OrganisationID
	if saw, ok := ctx.Value(sawKey{}).(*[]schema.OrganisationID); ok {
		found = *saw
	}
	add := func(v reflect.Value) {
		if id, ok := organisationOf(v); ok && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	if body := reflect.Indirect(reflect.ValueOf(out)); body.Kind() == reflect.Struct {
		if body = body.FieldByName("Body"); body.Kind() == reflect.Struct {
			add(body)
			if items := body.FieldByName("Items"); items.Kind() == reflect.Slice {
				for i := range items.Len() {
					add(items.Index(i))
				}
				if items.Len() == 0 {
					return found // nothing was seen of anybody
				}
			}
		}
	}
	if len(found) == 0 {
		add(reflect.Indirect(reflect.ValueOf(in)))
	}
	if len(found) == 0 {
		found = append(found, schema.OrganisationID{})
	}
	return found
}

func organisationOf(v reflect.Value) (schema.OrganisationID, bool) {
	if v.Kind() != reflect.Struct {
		return schema.OrganisationID{}, false
	}
	field := v.FieldByName("OrganisationID")
	if !field.IsValid() {
		return schema.OrganisationID{}, false
	}
	id, ok := field.Interface().(schema.OrganisationID)
	return id, ok && !id.IsZero()
}
