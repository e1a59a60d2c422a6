package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"mybeacon/schema"
)

// Store keeps files. [Dir] is the one of the server's data directory.
type Store interface {
	// Put keeps the content and returns its name. Keeping the same again changes
	// nothing. TooLarge: the file is, or the organisation's files together are.
	Put(ctx context.Context, organisation schema.OrganisationID, content []byte) (Digest, error)
	// Get returns the content, or NotFound.
	Get(ctx context.Context, organisation schema.OrganisationID, digest Digest) ([]byte, error)
}

// Digest names a file: the SHA-256 of its content in lower-case hexadecimals.
type Digest string

// DigestOf returns the name of the content.
func DigestOf(content []byte) Digest {
	sum := sha256.Sum256(content)
	return Digest(hex.EncodeToString(sum[:]))
}

// ParseDigest reads a name; only what [DigestOf] may return is one, so that a
// name can be used as a path.
func ParseDigest(text string) (Digest, error) {
	if len(text) != 2*sha256.Size {
		return "", fmt.Errorf("a file's name has %d characters, not %d", 2*sha256.Size, len(text))
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("a file's name has no %q in it", c)
		}
	}
	return Digest(text), nil
}

// Grace is for how long a file stays after it was kept though nobody uses it.
const Grace = time.Hour

// Limits bound what is kept.
type Limits struct {
	File         int64 // bytes of one file
	Organisation int64 // bytes of all files of one organisation
	Files        int   // of one organisation
}

// DefaultLimits hold a picture for each of some hundred plans with their history,
// and a photo for each of a hundred thousand tags.
func DefaultLimits() Limits {
	return Limits{File: 32 << 20, Organisation: 8 << 30, Files: 200_000}
}

// Validate reports the first limit that admits nothing.
func (l Limits) Validate() error {
	if l.File <= 0 || l.Organisation < l.File || l.Files <= 0 {
		return fmt.Errorf("files: the limits %+v admit nothing", l)
	}
	return nil
}

// Used says which of the organisation's files are in use.
type Used func(ctx context.Context, organisation schema.OrganisationID, digests []Digest) ([]Digest, error)
