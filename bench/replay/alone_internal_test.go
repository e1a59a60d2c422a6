package replay

import (
	"os"
	"strings"
	"testing"

	"mybeacon/schema"
)

func TestOneReplayOfASite(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	release, err := alone("http://a", "Kiosk")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone("http://a", "Kiosk"); schema.KindOf(err) != schema.Conflict || !strings.Contains(err.Error(), "being replayed") {
		t.Errorf("a second replay: %v, want a conflict", err)
	}
	for _, other := range [][2]string{{"http://b", "Kiosk"}, {"http://a", "Flat"}} {
		free, err := alone(other[0], other[1])
		if err != nil {
			t.Fatalf("%v: %v", other, err)
		}
		free()
	}
	release()
	again, err := alone("http://a", "Kiosk")
	if err != nil {
		t.Fatalf("after the first one's end: %v", err)
	}
	again()
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
