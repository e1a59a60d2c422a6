package embedded_test

import (
	"mybeacon/engine/embedded/embeddedtest"
	"testing"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }
