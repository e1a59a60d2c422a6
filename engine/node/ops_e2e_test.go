package node_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"mybeacon/engine/node"
)

func TestMetrics(t *testing.T) {
	cfg := testConfig(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Ops = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, cfg)
	resp, err := http.Get("http://" + cfg.Ops + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := readAll(t, resp.Body)
	for _, name := range []string{"mybeacon_actors{", "mybeacon_bad_frames_total{", "mybeacon_ws_clients", "go_goroutines"} {
		if !strings.Contains(text, name) {
			t.Errorf("no %s among the metrics", name)
		}
	}
	if resp, err := http.Get(s.URL() + "/metrics"); err != nil || strings.Contains(readAll(t, resp.Body), "mybeacon_actors") {
		t.Errorf("the main address shows metrics: %v", err)
	}

	// The address is taken now: asked for by name it is an error.
	second := testConfig(t)
	second.Ops = cfg.Ops
	if err := node.New(second).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "ops") {
		t.Errorf("a taken address: %v", err)
	}
}
