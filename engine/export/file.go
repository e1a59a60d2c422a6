package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// store keeps the files: a folder per organisation, a file per export. A file has its
// name only when it is whole; until then it is named by the attempt that makes it.
type store struct{ dir string }

func (s store) make() error {
	if s.dir == "" {
		return errors.New("export: Config.Dir is missing")
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of exports: %w", err)
	}
	return nil
}

func (s store) path(e postgres.Export) string {
	return filepath.Join(s.dir, e.Organisation.String(), e.ID.String()+"."+e.Format)
}

// partMark begins the ending of a file that is not whole.
const partMark = ".part-"

// part makes the file of an attempt.
func (s store) part(e postgres.Export, claim postgres.ExportID) (*os.File, error) {
	path := s.path(e)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path+partMark+claim.String(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// keep gives the part its name, once all of it is on the disk.
func (s store) keep(e postgres.Export, part *os.File) error {
	err := part.Sync()
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part.Name(), s.path(e))
	}
	if err == nil {
		err = syncDir(filepath.Dir(s.path(e)))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// drop removes the part of an attempt that came to nothing.
func (s store) drop(part *os.File) {
	_ = part.Close()           // it was kept, or nobody needs it
	_ = os.Remove(part.Name()) // the sweep removes what stays
}

// open opens a whole file, or NotFound.
func (s store) open(e postgres.Export) (*os.File, error) {
	f, err := os.Open(s.path(e))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &schema.Error{Kind: schema.NotFound, Message: "the file is not on this server: another one made it, or it was restored without its files; export again", Err: err}
	}
	return f, err
}

func (s store) remove(e postgres.Export) error {
	err := os.Remove(s.path(e))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// orphanAge is how old a file must be to be removed that no export needs: a younger one
// may be one's that is about to say so.
const orphanAge = time.Hour

// sweep removes the files that no export needs: of attempts that were cut short, and of
// organisations that were deleted.
func (s store) sweep(ctx context.Context, db *postgres.DB, now time.Time) error {
	folders, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		organisation, err := schema.ParseID[schema.OrganisationID](folder.Name())
		if err != nil || !folder.IsDir() {
			continue // not ours
		}
		if err := s.sweepOne(ctx, db, organisation, now); err != nil {
			return err
		}
	}
	return nil
}

func (s store) sweepOne(ctx context.Context, db *postgres.DB, organisation schema.OrganisationID, now time.Time) error {
	dir := filepath.Join(s.dir, organisation.String())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := map[postgres.ExportID][]string{}
	var ids []postgres.ExportID
	for _, entry := range entries {
		text, _, _ := strings.Cut(entry.Name(), ".")
		id, err := schema.ParseID[postgres.ExportID](text)
		info, gone := entry.Info()
		if err != nil || gone != nil || now.Sub(info.ModTime()) < orphanAge {
			continue
		}
		found[id], ids = append(found[id], entry.Name()), append(ids, id)
	}
	kept, err := db.KeptExports(ctx, organisation, ids)
	if err != nil {
		return err
	}
	for _, id := range kept {
		delete(found, id)
	}
	for _, names := range found {
		for _, name := range names {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
