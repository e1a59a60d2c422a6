package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// TagLine is what a line of a table says of a tag.
type TagLine struct {
	Transmitter schema.Transmitter
	Type        string  // empty: as it is, an asset when it is new
	Name        string  // empty: as it is, bound to nothing when it is new
	Description *string // nil: as it is
}

// LineOutcome is what became of a line.
type LineOutcome uint8

// The outcomes of a line.
const (
	LineSame    LineOutcome = iota // it says what is so already
	LineCreated                    // registered
	LineChanged                    // bound to what it says
	LineTaken                      // somebody else registered the transmitter meanwhile
)

// errDry undoes a dry run.
var errDry = errors.New("a dry run")

// ImportTags registers and binds tags of the organisation in one transaction and
// returns what became of each line. The lines' transmitters differ. In a dry run all is
// tried, and nothing stays.
func (s *Store) ImportTags(ctx context.Context, organisation schema.OrganisationID, lines []TagLine, dry bool) ([]LineOutcome, error) {
	outcomes := make([]LineOutcome, len(lines))
	if len(lines) == 0 {
		return outcomes, nil
	}
	err := s.db.Change(ctx, postgres.In(organisation), topic, func(tx postgres.Tx) error {
		there, err := lockTransmitters(ctx, tx, organisation, lines)
		if err != nil {
			return err
		}
		im := tagImport{organisation: organisation, lines: lines, outcomes: outcomes}
		im.plan(tx, there)
		if err := im.write(ctx, tx); err != nil {
			return err
		}
		if dry {
			return errDry
		}
		tx.Unrecorded("tags that are what they were are no change")
		return nil
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return outcomes, err
}

// lockTransmitters returns the tags that are registered already, in one order for
// everybody who does so.
func lockTransmitters(ctx context.Context, tx postgres.Tx, organisation schema.OrganisationID, lines []TagLine) (map[schema.Transmitter]Tag, error) {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Transmitter.String()
	}
	const lock = `SELECT FROM ble_tag WHERE org = $1 AND transmitter = ANY ($2) ORDER BY id FOR UPDATE`
	if _, err := tx.Exec(ctx, lock, organisation, texts); err != nil {
		return nil, postgres.Explain(err, "lock tags", nil)
	}
	const read = tagColumns + `LEFT JOIN ble_reference r ON r.tag = t.id WHERE t.org = $1 AND t.transmitter = ANY ($2)`
	found, err := postgres.Collect(ctx, tx, scanTag, read, organisation, texts)
	there := make(map[schema.Transmitter]Tag, len(found))
	for _, t := range found {
		there[t.Transmitter] = t
	}
	return there, err
}

// tagImport is the import of some lines.
type tagImport struct {
	organisation schema.OrganisationID
	lines        []TagLine
	outcomes     []LineOutcome
	made, bound  tagColumnsOf
	indexes      []int // of the lines of made
}

// tagColumnsOf are arrays, one of each column.
type tagColumnsOf struct {
	ids                                      [][16]byte
	transmitters, types, names, descriptions []string
	photos                                   []string
}

func (c *tagColumnsOf) add(t Tag) {
	c.ids, c.transmitters = append(c.ids, t.ID), append(c.transmitters, t.Transmitter.String())
	c.types, c.names, c.descriptions = append(c.types, t.Type), append(c.names, t.Name), append(c.descriptions, t.Description)
	c.photos = append(c.photos, t.Photo)
}

// plan decides about each line, and records what is to be done.
func (im *tagImport) plan(tx postgres.Tx, there map[schema.Transmitter]Tag) {
	for i, l := range im.lines {
		old, known := there[l.Transmitter]
		next := l.over(old)
		next.Photo = photoAfter(old, next)
		if !known {
			next.ID, next.Organisation = schema.NewID[schema.TagID](), im.organisation
			im.outcomes[i] = LineCreated
			im.made.add(next)
			im.indexes = append(im.indexes, i)
			recordNew(tx, next)
		} else if fields := changesOfTag(old, next); len(fields) > 0 && l.Name != "" {
			im.outcomes[i] = LineChanged
			im.bound.add(next)
			recordTag(tx, audit.Change, next, fields...)
		}
	}
}

// over returns the tag as the line says it is.
func (l TagLine) over(t Tag) Tag {
	t.Transmitter = l.Transmitter
	if t.Type == "" {
		t.Type, t.Name = "asset", l.Transmitter.String()
	}
	if l.Type != "" {
		t.Type = l.Type
	}
	if l.Name != "" {
		t.Name = l.Name
	}
	if l.Description != nil {
		t.Description = *l.Description
	}
	return t
}

const (
	insertTags = `INSERT INTO ble_tag (id, org, transmitter, type, name, description)
		SELECT n.id, $1, n.transmitter, n.type, n.name, n.description FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
			AS n(id, transmitter, type, name, description) ON CONFLICT (org, transmitter) DO NOTHING RETURNING id`
	updateTags = `UPDATE ble_tag t SET type = n.type, name = n.name, description = n.description, photo = nullif(n.photo, '')
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n(id, type, name, description, photo) WHERE t.id = n.id`
	endBindings   = `UPDATE ble_tag_binding SET to_at = greatest(from_at, clock_timestamp()) WHERE tag = ANY ($1::uuid[]) AND to_at IS NULL`
	beginBindings = `INSERT INTO ble_tag_binding (tag, org, number, type, name, description, from_at, by_account)
		SELECT t.id, t.org, coalesce(b.number, 0) + 1, t.type, t.name, t.description, greatest(b.to_at, clock_timestamp()), $2
		FROM ble_tag t LEFT JOIN LATERAL (SELECT max(number) AS number, max(to_at) AS to_at FROM ble_tag_binding WHERE tag = t.id) b ON true
		WHERE t.id = ANY ($1::uuid[]) AND t.name <> t.transmitter`
)

// write does what was planned, each in one statement. New tags whose transmitter
// somebody else registered meanwhile are not made.
func (im *tagImport) write(ctx context.Context, tx postgres.Tx) error {
	made, err := postgres.Collect(ctx, tx, pgx.RowTo[[16]byte], insertTags, im.organisation,
		im.made.ids, im.made.transmitters, im.made.types, im.made.names, im.made.descriptions)
	if err != nil {
		return err
	}
	if len(made) < len(im.made.ids) {
		stored := make(map[[16]byte]bool, len(made))
		for _, id := range made {
			stored[id] = true
		}
		for i, id := range im.made.ids {
			if !stored[id] {
				im.outcomes[im.indexes[i]] = LineTaken
			}
		}
	}
	if _, err := tx.Exec(ctx, updateTags, im.bound.ids, im.bound.types, im.bound.names, im.bound.descriptions, im.bound.photos); err != nil {
		return postgres.Explain(err, "bind tags", nil)
	}
	if _, err := tx.Exec(ctx, endBindings, im.bound.ids); err != nil {
		return postgres.Explain(err, "end bindings", nil)
	}
	_, err = tx.Exec(ctx, beginBindings, append(made, im.bound.ids...), audit.ActorOf(ctx).User)
	return postgres.Explain(err, "begin bindings", nil)
}
