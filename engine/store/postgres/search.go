package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"mybeacon/schema"
)

// Sought is what somebody looks for, in the forms in which it is compared.
type Sought struct {
	Text   string // in lower case, blanks trimmed
	Number int64  // of a device, 0: the text is none
	MAC    string // hexadecimal digits of a part of an address without separators, empty: the text is none
}

// Pattern is the text as LIKE finds it anywhere: PostgreSQL looks through stored text
// so in half the time of strpos.
func (s Sought) Pattern() string { return "%" + literally.Replace(s.Text) + "%" }

// MACPattern is [Sought.Pattern] of the address.
func (s Sought) MACPattern() string { return "%" + s.MAC + "%" }

// ParseSought reads what somebody typed: "#5" and "Receiver #5" are numbers, four
// or more hexadecimal digits may be part of an address.
func ParseSought(typed string) Sought {
	s := Sought{Text: strings.ToLower(strings.Join(strings.Fields(typed), " "))}
	_, digits, _ := strings.Cut(s.Text, "#")
	if digits == "" {
		digits = s.Text
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > 0 {
		s.Number = n
	}
	bare := strings.NewReplacer(":", "", "-", "", ".", "").Replace(s.Text)
	if len(bare) >= 4 && len(bare) <= 12 && strings.Trim(bare, "0123456789abcdef") == "" {
		s.MAC = bare
	}
	return s
}

// Finding is how one kind of object is searched. Columns are whose it is, id, title,
// subtitle and path, in this order.
type Finding struct {
	Kind   string
	Select string // "SELECT … FROM …" without conditions
	// Where adds the conditions of the scope and of what is sought.
	Where func(*Where, Sought)
}

// findersAtOnce bounds the connections of one search: as many as there are processors
// in the smallest machine that holds such lists.
const findersAtOnce = 2

// Find returns up to most of what each of the findings admits, in no order: a
// search ends when it has enough, so that a word which is everywhere costs little.
// What is nowhere is looked for in every row, of several kinds at a time.
func (db *DB) Find(ctx context.Context, scope Scope, sought Sought, most int, findings []Finding) ([]schema.Found, error) {
	found := make([][]schema.Found, len(findings))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(findersAtOnce)
	for i, f := range findings {
		group.Go(func() (err error) {
			found[i], err = f.find(ctx, db.In(scope), sought, most)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

func (f Finding) find(ctx context.Context, q Rows, sought Sought, most int) ([]schema.Found, error) {
	var where Where
	f.Where(&where, sought)
	return Collect(ctx, q, f.scan, f.Select+where.String()+" LIMIT "+strconv.Itoa(most), where.Args()...)
}

func (f Finding) scan(row pgx.CollectableRow) (schema.Found, error) {
	found := schema.Found{Kind: f.Kind}
	return found, row.Scan(&found.OrganisationID, &found.ID, &found.Title, &found.Subtitle, &found.Path)
}

// FindDevices searches devices by number, name and part of the address.
func FindDevices(scope Scope) Finding {
	return Finding{
		Kind: "device",
		Select: `SELECT d.org, d.id::text, CASE d.name WHEN '' THEN 'Receiver #' || d.number ELSE d.name END,
			'#' || d.number || ' ' || d.mac::text, '/devices/' || d.id FROM device d`,
		Where: func(w *Where, s Sought) {
			w.Scope("d.org", scope)
			w.Location("d.location", scope)
			either := []string{w.Bind("d.search LIKE ?", s.Pattern())}
			if s.Number > 0 {
				either = append(either, w.Bind("d.number = ?", s.Number))
			}
			if s.MAC != "" {
				either = append(either, w.Bind("d.mac_hex LIKE ?", s.MACPattern()))
			}
			w.Add("(" + strings.Join(either, " OR ") + ")")
		},
	}
}

// FindLocations searches locations by name and address.
func FindLocations(scope Scope) Finding {
	return Finding{
		Kind:   "location",
		Select: `SELECT l.org, l.id::text, l.name, l.address, '/devices?location_id=' || l.id FROM location l`,
		Where: func(w *Where, s Sought) {
			w.Scope("l.org", scope)
			w.Location("l.id", scope)
			w.Add("l.words LIKE ?", s.Pattern())
		},
	}
}

// FindUsers searches people by name and e-mail. A super-admin belongs to no
// organisation and is found by super-admins only.
func FindUsers(scope Scope) Finding {
	return Finding{
		Kind:   "user",
		Select: `SELECT a.org, a.id::text, CASE a.name WHEN '' THEN a.email ELSE a.name END, a.email, '/people/' || a.id FROM account a`,
		Where: func(w *Where, s Sought) {
			w.Scope("a.org", scope)
			w.Add("a.words LIKE ?", s.Pattern())
		},
	}
}

// FindOrganisations searches organisations by name.
func FindOrganisations(scope Scope) Finding {
	return Finding{
		Kind:   "organisation",
		Select: `SELECT o.id, o.id::text, o.name, '', '/organisations/' || o.id FROM organisation o`,
		Where: func(w *Where, s Sought) {
			w.Scope("o.id", scope)
			w.Add("strpos(lower(o.name), ?) > 0", s.Text)
		},
	}
}
