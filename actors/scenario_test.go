package actors_test

import (
	"flag"
	"testing"

	"mybeacon/actors/actortest"
)

var rewrite = flag.Bool("rewrite", false, "write what happened into the scenarios")

func TestScenarios(t *testing.T) { actortest.Run(t, "testdata/scenarios/*.txt", *rewrite) }
