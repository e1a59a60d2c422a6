package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mybeacon/schema"
)

// Dir is a [Store] in a directory: ORGANISATION/first two characters/DIGEST.
type Dir struct {
	path   string
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	usage map[schema.OrganisationID]*usage // of those who kept something since the start
}

// usage is what an organisation keeps. Its lock holds while a file is kept or
// swept, so that the two never meet at one file; reading needs none.
type usage struct {
	sync.Mutex
	counted bool
	files   int
	bytes   int64
}

// Open returns the store in the directory, which is made when it is first
// written to. A nil clock is the system's.
func Open(path string, limits Limits, clock func() time.Time) (*Dir, error) {
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	if clock == nil {
		clock = time.Now
	}
	return &Dir{path: path, limits: limits, now: clock, usage: map[schema.OrganisationID]*usage{}}, nil
}

func (d *Dir) home(organisation schema.OrganisationID) string {
	return filepath.Join(d.path, organisation.String())
}

func (d *Dir) place(organisation schema.OrganisationID, digest Digest) string {
	return filepath.Join(d.home(organisation), string(digest[:2]), string(digest))
}

// of returns the organisation's usage, locked.
func (d *Dir) of(organisation schema.OrganisationID) *usage {
	d.mu.Lock()
	u := d.usage[organisation]
	if u == nil {
		u = &usage{}
		d.usage[organisation] = u
	}
	d.mu.Unlock()
	u.Lock()
	return u
}

// Put implements [Store]. When it returns nil the file survives a loss of power.
func (d *Dir) Put(ctx context.Context, organisation schema.OrganisationID, content []byte) (Digest, error) {
	size := int64(len(content))
	if size > d.limits.File {
		return "", schema.Errorf(schema.TooLarge, "", "the file has %d bytes; at most %d are kept", size, d.limits.File)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	digest := DigestOf(content)
	u := d.of(organisation)
	defer u.Unlock()
	path := d.place(organisation, digest)
	if there, err := os.ReadFile(path); err == nil {
		if DigestOf(there) == digest {
			// It counts as kept now: a sweep that has found it unused must leave it.
			return digest, wrap("keep a file", os.Chtimes(path, d.now(), d.now()))
		}
		u.counted = false // a damaged one is replaced
	}
	if err := d.room(u, organisation, size); err != nil {
		return "", err
	}
	if err := d.write(path, content); err != nil {
		u.counted = false // it may be there or not
		return "", wrap("keep a file", err)
	}
	u.files, u.bytes = u.files+1, u.bytes+size
	return digest, nil
}

// room refuses what the organisation has no place for.
func (d *Dir) room(u *usage, organisation schema.OrganisationID, size int64) error {
	if !u.counted {
		found, err := d.list(organisation)
		if err != nil {
			return err
		}
		u.counted, u.files, u.bytes = true, len(found), 0
		for _, f := range found {
			u.bytes += f.size
		}
	}
	if u.files >= d.limits.Files || u.bytes+size > d.limits.Organisation {
		return schema.Errorf(schema.TooLarge, "", "the organisation keeps %d files of %d bytes together; at most %d of %d are kept: delete pictures that are not needed any more",
			u.files, u.bytes, d.limits.Files, d.limits.Organisation)
	}
	return nil
}

// write makes the file under another name first, so that nobody ever sees half of
// it, and then makes the names last too.
func (d *Dir) write(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := makeDirs(d.path, dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, partPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = errors.Join(os.Chtimes(f.Name(), d.now(), d.now()), os.Rename(f.Name(), path))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// partPrefix begins the names of files that are being written.
const partPrefix = ".part-"

// makeDirs makes the directory below top and its parents. A name is safe once its
// directory is synced, so all above what is new are.
func makeDirs(top, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for at := dir; at != top; {
		at = filepath.Dir(at)
		if err := syncDir(at); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(top))
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get implements [Store]. Content that is not what its name says is an error and
// never returned.
func (d *Dir) Get(ctx context.Context, organisation schema.OrganisationID, digest Digest) ([]byte, error) {
	if _, err := ParseDigest(string(digest)); err != nil {
		return nil, schema.Errorf(schema.NotFound, "", "there is no such file")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(d.place(organisation, digest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, schema.Errorf(schema.NotFound, "", "there is no such file")
	case err != nil:
		return nil, wrap("read a file", err)
	case DigestOf(content) != digest:
		return nil, fmt.Errorf("read a file: the content of %s is damaged; restore it from a backup", digest)
	}
	return content, nil
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
