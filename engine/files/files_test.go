package files_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/files"
	"mybeacon/schema"
)

// rig is a store whose clock stands.
type rig struct {
	*files.Dir
	path      string
	now       time.Time
	ours, his schema.OrganisationID
}

func open(t *testing.T, limits files.Limits) *rig {
	t.Helper()
	r := &rig{path: filepath.Join(t.TempDir(), "files"), now: time.Now(), ours: schema.NewID[schema.OrganisationID](), his: schema.NewID[schema.OrganisationID]()}
	var err error
	if r.Dir, err = files.Open(r.path, limits, func() time.Time { return r.now }); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) put(t *testing.T, organisation schema.OrganisationID, text string) files.Digest {
	t.Helper()
	d, err := r.Put(t.Context(), organisation, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *rig) missing(t *testing.T, organisation schema.OrganisationID, d files.Digest) {
	t.Helper()
	if got, err := r.Get(t.Context(), organisation, d); schema.KindOf(err) != schema.NotFound {
		t.Errorf("got %q, %v, want nothing", got, err)
	}
}

// names returns all files below the directory.
func (r *rig) names(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(r.path, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPutAndGet(t *testing.T) {
	r := open(t, files.DefaultLimits())
	d := r.put(t, r.ours, "a plan")
	if again := r.put(t, r.ours, "a plan"); again != d || d != files.DigestOf([]byte("a plan")) {
		t.Errorf("kept as %s and %s", d, again)
	}
	if got, err := r.Get(t.Context(), r.ours, d); err != nil || string(got) != "a plan" {
		t.Errorf("got %q, %v", got, err)
	}
	r.missing(t, r.his, d)
	if names := r.names(t); !slices.Equal(names, []string{string(d)}) {
		t.Errorf("the directory has %q", names)
	}
	for _, odd := range []files.Digest{"", "../../secret", files.Digest(strings.Repeat("A", 64)), files.Digest("../" + strings.Repeat("a", 61))} {
		r.missing(t, r.ours, odd)
	}
}

func TestDamageIsNoticedAndMended(t *testing.T) {
	r := open(t, files.DefaultLimits())
	d := r.put(t, r.ours, "a plan")
	path := filepath.Join(r.path, r.ours.String(), string(d[:2]), string(d))
	if err := os.WriteFile(path, []byte("a plam"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Get(t.Context(), r.ours, d); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %q, %v", got, err)
	}
	r.put(t, r.ours, "a plan")
	if got, err := r.Get(t.Context(), r.ours, d); err != nil || string(got) != "a plan" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLimits(t *testing.T) {
	r := open(t, files.Limits{File: 4, Organisation: 8, Files: 3})
	refused := func(organisation schema.OrganisationID, text string) {
		t.Helper()
		if _, err := r.Put(t.Context(), organisation, []byte(text)); schema.KindOf(err) != schema.TooLarge {
			t.Errorf("%q: got %v", text, err)
		}
	}
	refused(r.ours, "12345")
	r.put(t, r.ours, "1234")
	r.put(t, r.ours, "123")
	refused(r.ours, "ab")
	r.put(t, r.ours, "1234") // it is there already
	r.put(t, r.ours, "a")
	refused(r.ours, "") // the fourth
	r.put(t, r.his, "1234")

	// Who opens the directory again counts what is there.
	again, err := files.Open(r.path, files.Limits{File: 4, Organisation: 8, Files: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Put(t.Context(), r.ours, []byte("b")); schema.KindOf(err) != schema.TooLarge {
		t.Errorf("got %v", err)
	}
	if _, err := files.Open(r.path, files.Limits{File: 4, Organisation: 3, Files: 1}, nil); err == nil {
		t.Error("limits that admit nothing were taken")
	}
}

func TestSweep(t *testing.T) {
	r := open(t, files.DefaultLimits())
	used, orphan := r.put(t, r.ours, "used"), r.put(t, r.ours, "orphan")
	foreign := r.put(t, r.his, "used")
	cut := filepath.Join(r.path, r.ours.String(), string(used[:2]), ".part-1")
	if err := os.WriteFile(cut, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	sweep := func(ask files.Used) int {
		t.Helper()
		n, err := r.Sweep(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	asked := func(_ context.Context, organisation schema.OrganisationID, of []files.Digest) ([]files.Digest, error) {
		if organisation == r.ours && slices.Contains(of, used) {
			return []files.Digest{used}, nil
		}
		return nil, nil
	}
	if n := sweep(asked); n != 0 {
		t.Errorf("%d files were removed at once", n)
	}
	r.now = r.now.Add(files.Grace + time.Minute)
	fresh := r.put(t, r.ours, "fresh")
	away := errors.New("away")
	if n, err := r.Sweep(t.Context(), func(context.Context, schema.OrganisationID, []files.Digest) ([]files.Digest, error) { return nil, away }); n != 0 || !errors.Is(err, away) {
		t.Errorf("removed %d, %v, while nobody knew what is in use", n, err)
	}
	if n := sweep(asked); n != 3 {
		t.Errorf("%d files were removed, want the orphan, the foreign one and the half one", n)
	}
	r.missing(t, r.ours, orphan)
	r.missing(t, r.his, foreign)
	if names := r.names(t); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values([]string{string(used), string(fresh)}))) {
		t.Errorf("left are %q", names)
	}
}

// A file that is kept again while a sweep decides about it stays.
func TestSweepMeetsPut(t *testing.T) {
	r := open(t, files.DefaultLimits())
	d := r.put(t, r.ours, "again")
	r.now = r.now.Add(2 * files.Grace)
	n, err := r.Sweep(t.Context(), func(context.Context, schema.OrganisationID, []files.Digest) ([]files.Digest, error) {
		r.put(t, r.ours, "again")
		return nil, nil
	})
	if err != nil || n != 0 {
		t.Errorf("removed %d, %v", n, err)
	}
	if _, err := r.Get(t.Context(), r.ours, d); err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	r := open(t, files.DefaultLimits())
	content := bytes.Repeat([]byte("x"), 1<<16)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			d, err := r.Put(t.Context(), r.ours, content)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := r.Get(t.Context(), r.ours, d); err != nil || !bytes.Equal(got, content) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	if names := r.names(t); len(names) != 1 {
		t.Errorf("the directory has %q", names)
	}
}

func TestSweepOfNothing(t *testing.T) {
	r := open(t, files.DefaultLimits())
	if n, err := r.Sweep(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}
