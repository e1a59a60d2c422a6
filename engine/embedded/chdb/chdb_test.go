package chdb_test

import (
	"strings"
	"testing"

	"mybeacon/engine/embedded/chdb"
)

// Everything that needs the library is tested through chhost: it must not be
// loaded into a process that does more than host it.
func TestOpenWhatIsNotThere(t *testing.T) {
	for _, path := range []string{"/nonexistent/libchdb.so", "/etc/hostname"} {
		if _, err := chdb.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want an error that names it", path, err)
		}
	}
}
