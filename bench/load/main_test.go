package load_test

import (
	"os"
	"testing"

	"mybeacon/engine/embedded/chhost"
)

// The test binary is also the embedded warehouse's process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == chhost.Command {
		os.Exit(chhost.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}
