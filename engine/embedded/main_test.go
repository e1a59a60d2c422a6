package embedded_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
)

// holdCommand makes the test binary a server that starts the stores on a
// directory and is then killed by the test.
const holdCommand = "hold-stores"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == holdCommand {
		hold(os.Args[2])
	}
	embeddedtest.Main(m)
}

func hold(dir string) {
	rt, err := embedded.FindRuntime("")
	if err == nil {
		exe, _ := os.Executable()
		var s *embedded.Stores
		if s, err = embedded.Start(context.Background(), embedded.Config{DataDir: dir, Runtime: rt, Executable: exe}); err == nil {
			fmt.Println("running", s.Postgres().PID(), s.ClickHouse().PID())
			select {}
		}
	}
	fmt.Println("failed:", err)
	os.Exit(1)
}
