package ble

import (
	"context"

	"mybeacon/engine/files"
	"mybeacon/schema"
)

// FilesUsed implements module.FileUser.
func (m *Module) FilesUsed(ctx context.Context, organisation schema.OrganisationID, of []files.Digest) ([]files.Digest, error) {
	return m.store.FilesUsed(ctx, organisation, of)
}
