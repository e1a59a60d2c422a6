package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mybeacon/schema"
)

// sweepAtOnce is how many names are asked about at once.
const sweepAtOnce = 1000

// kept is a file as the directory shows it.
type kept struct {
	path   string
	digest Digest // empty: the rest of a write that was cut
	size   int64
	at     time.Time
}

// Sweep removes the files that were kept longer than [Grace] ago and are not in
// use, and returns how many. While used fails nothing of that organisation is
// removed.
func (d *Dir) Sweep(ctx context.Context, used Used) (removed int, err error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, wrap("sweep files", err)
	}
	var failed []error
	for _, e := range entries {
		organisation, err := schema.ParseID[schema.OrganisationID](e.Name())
		if err != nil || !e.IsDir() {
			continue // not ours
		}
		n, err := d.sweep(ctx, organisation, used)
		removed += n
		failed = append(failed, err)
	}
	return removed, wrap("sweep files", errors.Join(failed...))
}

func (d *Dir) sweep(ctx context.Context, organisation schema.OrganisationID, used Used) (removed int, err error) {
	found, err := d.list(organisation)
	if err != nil {
		return 0, err
	}
	old := found[:0]
	for _, f := range found {
		if d.now().Sub(f.at) > Grace {
			old = append(old, f)
		}
	}
	for len(old) > 0 {
		part := old[:min(len(old), sweepAtOnce)]
		old = old[len(part):]
		n, err := d.sweepSome(ctx, organisation, part, used)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

func (d *Dir) sweepSome(ctx context.Context, organisation schema.OrganisationID, some []kept, used Used) (removed int, err error) {
	var digests []Digest
	for _, f := range some {
		if f.digest != "" {
			digests = append(digests, f.digest)
		}
	}
	inUse, err := used(ctx, organisation, digests)
	if err != nil {
		return 0, err
	}
	keep := make(map[Digest]bool, len(inUse))
	for _, digest := range inUse {
		keep[digest] = true
	}
	for _, f := range some {
		if f.digest != "" && keep[f.digest] {
			continue
		}
		gone, err := d.remove(organisation, f)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// remove removes the file unless it was kept again since it was listed.
func (d *Dir) remove(organisation schema.OrganisationID, f kept) (bool, error) {
	u := d.of(organisation)
	defer u.Unlock()
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && d.now().Sub(info.ModTime()) <= Grace {
		return false, nil
	}
	if err == nil {
		err = os.Remove(f.path)
	}
	u.counted = false // the next who keeps something counts anew
	return err == nil, err
}

// list returns all files of the organisation. A name that is none of ours is left
// out.
func (d *Dir) list(organisation schema.OrganisationID) ([]kept, error) {
	var found []kept
	err := filepath.WalkDir(d.home(organisation), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // there is nothing, or it was just renamed or removed
		case err != nil:
			return err
		case !e.Type().IsRegular():
			return nil
		}
		digest, err := ParseDigest(e.Name())
		if err != nil && !strings.HasPrefix(e.Name(), partPrefix) {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			found = append(found, kept{path: path, digest: digest, size: info.Size(), at: info.ModTime()})
		}
		return err
	})
	return found, wrap("list files", err)
}
