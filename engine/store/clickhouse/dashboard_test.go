package clickhouse_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	schemach "mybeacon/schema/clickhouse"
)

// Every statement of the analysts' dashboard runs, with what Grafana puts in.
func TestAnalystsDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "grafana", "analysts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ RawSQL string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	db, _ := open(t)
	if err := db.Migrate(t.Context(), schemach.FS); err != nil {
		t.Fatal(err)
	}
	put := strings.NewReplacer(
		"$__fromTime", "toDateTime64('2026-03-01 00:00:00', 3, 'UTC')", "$__toTime", "toDateTime64('2026-04-01 00:00:00', 3, 'UTC')",
		"${location}", "00000000-0000-0000-0000-000000000001", "${zone}", "Europe/Moscow")
	asked := 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			asked++
			if err := db.Conn().Exec(t.Context(), put.Replace(target.RawSQL)); err != nil {
				t.Errorf("%s: %v", p.Title, err)
			}
		}
	}
	if asked < 10 {
		t.Errorf("the dashboard has %d statements: it was not read rightly", asked)
	}
}
