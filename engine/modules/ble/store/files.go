package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/files"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// usedFiles finds the files that rows of the organisation $1 name; $2 are those that
// are asked about.
const usedFiles = `SELECT image ->> 'file' FROM ble_plan WHERE org = $1 AND image ->> 'file' = ANY ($2)
	UNION SELECT image_file FROM ble_plan_version WHERE org = $1 AND image_file = ANY ($2)
	UNION SELECT photo FROM ble_tag WHERE org = $1 AND photo = ANY ($2)`

// FilesUsed returns those of the organisation's files that are in use.
func (s *Store) FilesUsed(ctx context.Context, organisation schema.OrganisationID, of []files.Digest) ([]files.Digest, error) {
	names := make([]string, len(of))
	for i, digest := range of {
		names[i] = string(digest)
	}
	scope := postgres.In(organisation)
	return postgres.Collect(ctx, s.db.In(scope), pgx.RowTo[files.Digest], usedFiles, organisation, names)
}
