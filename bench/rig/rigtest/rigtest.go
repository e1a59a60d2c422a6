// Package rigtest lets a test binary be the server of package rig.
package rigtest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"mybeacon/bench/rig"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/engine/node"
)

// Main is a TestMain: the test binary is also the server, and its warehouse.
func Main(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case chhost.Command:
			os.Exit(chhost.Main(os.Args[2:]))
		case "serve":
			os.Exit(serve(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// Program returns the test binary.
func Program(t testing.TB) rig.Program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return rig.Program{File: exe}
}

// serve is as much of the server's command line as package rig uses.
func serve(args []string) int {
	cfg := node.DefaultConfig()
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	flags.StringVar(&cfg.Data, "data", "", "")
	flags.StringVar(&cfg.HTTP, "http", "", "")
	flags.StringVar(&cfg.Ops, "ops", "", "")
	flags.StringVar(&cfg.AdminEmail, "admin-email", "", "")
	_ = flags.Parse(args) // it exits
	exe, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cfg.Executable, cfg.AdminPassword = exe, os.Getenv("MYBEACON_ADMIN_PASSWORD")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := node.New(cfg).Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
