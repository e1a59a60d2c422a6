package export_test

import (
	"testing"

	"mybeacon/engine/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }
