package chhost

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"mybeacon/engine/embedded/chdb"
)

// Command is the name of the hidden sub-command that runs the host.
const Command = "clickhouse-host"

// ListenerEnv names the file descriptor of an inherited listening socket. The
// parent keeps the socket for its whole life, so that a host which is
// restarted has the same port and nobody else can take it in between.
const ListenerEnv = "MYBEACON_CLICKHOUSE_LISTENER"

// Main runs the host until SIGTERM and returns its exit code. args are those
// after the sub-command's name: --data DIR [--addr HOST:PORT]. The configuration
// ([Config], JSON) comes on standard input.
func Main(args []string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	flags := flag.NewFlagSet(Command, flag.ContinueOnError)
	data := flags.String("data", "", "the warehouse's directory")
	addr := flags.String("addr", "127.0.0.1:0", "where to listen, unless a socket is inherited")
	if err := flags.Parse(args); err != nil || *data == "" || flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "usage: %s --data DIR [--addr 127.0.0.1:0] < configuration\n", Command)
		return 2
	}
	// Before the library starts its threads.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := host(ctx, log, *data, *addr); err != nil {
		log.Error("warehouse stopped", "err", err)
		return 1
	}
	return 0
}

func host(ctx context.Context, log *slog.Logger, data, addr string) error {
	cfg, err := readConfig(os.Stdin)
	if err != nil {
		return err
	}
	ln, err := listen(addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	lib, err := chdb.Open(cfg.Library)
	if err != nil {
		return err
	}
	l := layout{root: data}
	e, err := openEngine(lib, l, cfg)
	if err != nil {
		return err
	}
	s := newServer(cfg, l, e, log)
	log.Info("warehouse ready", "engine", e.version, "addr", ln.Addr().String())
	// The parent allows 15 s in all before it kills.
	err = s.serve(ctx, ln, 5*time.Second)
	if err == nil {
		e.close() // with statements still running this would wait for them
	}
	return err
}

// listen opens the loopback address, or takes over the inherited socket.
func listen(addr string) (net.Listener, error) {
	if v := os.Getenv(ListenerEnv); v != "" {
		fd, err := strconv.Atoi(v)
		if err != nil {
			return nil, fmt.Errorf("%s is not a file descriptor: %q", ListenerEnv, v)
		}
		f := os.NewFile(uintptr(fd), "listener")
		defer f.Close() // FileListener duplicates it
		return net.FileListener(f)
	}
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the warehouse listens on loopback only, not on %q", addr)
	}
	return net.Listen("tcp", addr)
}
