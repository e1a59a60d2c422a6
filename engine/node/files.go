package node

import (
	"context"
	"path/filepath"

	"mybeacon/engine/files"
	"mybeacon/engine/jobs"
	"mybeacon/engine/module"
	"mybeacon/schema"
)

// openFiles opens what people upload.
func (n *Node) openFiles() error {
	var err error
	n.files, err = files.Open(filepath.Join(n.cfg.Data, "files"), files.DefaultLimits(), nil)
	return err
}

// sweepFiles is the sweep of what people uploaded and nobody uses any more.
func (n *Node) sweepFiles() jobs.Sweep {
	return jobs.Sweep{Name: "unused files", Do: func(ctx context.Context) error {
		removed, err := n.files.Sweep(ctx, n.filesUsed)
		if removed > 0 {
			n.log.InfoContext(ctx, "unused files removed", "files", removed)
		}
		return err
	}}
}

// filesUsed asks all products: a file stays while one of them uses it.
func (n *Node) filesUsed(ctx context.Context, organisation schema.OrganisationID, of []files.Digest) ([]files.Digest, error) {
	var used []files.Digest
	for _, p := range n.products {
		user, ok := p.Module.(module.FileUser)
		if !ok {
			continue
		}
		some, err := user.FilesUsed(ctx, organisation, of)
		if err != nil {
			return nil, err
		}
		used = append(used, some...)
	}
	return used, nil
}
