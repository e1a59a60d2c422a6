package actortest_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mybeacon/actors/actortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const site = `plan ground 0,0 20,10
receiver rx-1 on ground 2,5,2.5
zone kitchen on ground 0,0 9,0 9,10 0,10
tag tag-7
`

// fails records the failure of a scenario instead of failing the test.
type fails struct {
	testing.TB
	errors []string
}

func (f *fails) Helper() {}

func (f *fails) Errorf(format string, _ ...any) { f.errors = append(f.errors, format) }

func (f *fails) Fatalf(format string, _ ...any) {
	f.errors = append(f.errors, format)
	panic(f)
}

// run runs a scenario and returns how often it failed.
func run(t *testing.T, text string) (failures int) {
	t.Helper()
	f := &fails{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
		failures = len(f.errors)
	}()
	actortest.RunText(f, "scenario", text, false)
	return len(f.errors)
}

func TestAScenarioCanFail(t *testing.T) {
	const steps = "at 10s..20s every 1s rx-1 hears tag-7 -48\n"
	const happens = "expect at 10s tag-7 appears on ground\nexpect at 10s tag-7 enters kitchen\nexpect kitchen holds 1\n"
	f := func(text string, fails bool) {
		t.Helper()
		if n := run(t, site+text); (n > 0) != fails {
			t.Errorf("%d failures of\n%s", n, text)
		}
	}
	f(steps+happens, false)
	f(steps, true)
	f(steps+"expect nothing\n", true)
	f(steps+happens+"expect at 20s tag-7 leaves kitchen\n", true)
	f(steps+strings.ReplaceAll(happens, "enters", "leaves"), true)
	f(steps+"check tag-7 within 9m of 2,5\n"+happens, false)
	f(steps+"check tag-7 within 1m of 19,5\n"+happens, true)
	f(steps+"check tag-7 is absent\n"+happens, true)
}

func TestBadScenariosAreRefused(t *testing.T) {
	f := func(text string) {
		t.Helper()
		if run(t, text) == 0 {
			t.Errorf("accepted %q", text)
		}
	}
	f("nonsense")
	f("plan")
	f("plan ground 0,0")
	f("plan ground 0,0 x,y")
	f("receiver rx-1 on nowhere 1,1,1")
	f(site + "receiver rx-2 on ground 1,1")
	f(site + "zone z on ground 1")
	f(site + "at")
	f(site + "at soon rx-1 delivers")
	f(site + "at 1s..x every 1s rx-1 delivers")
	f(site + "at 1s..2s rx-1 delivers")
	f(site + "at 1s..2s every 0s rx-1 delivers")
	f(site + "at 1s..1000h every 1ms rx-1 delivers")
	f(site + "at 1s rx-1 sings")
	f(site + "at 1s rx-1 hears tag-7 loudly")
	f(site + "at 1s rx-1 hears tag-7")
	f(site + "at 1s rx-1 delivers arrives late")
	f(site + "at 1s rx-9 delivers")
	f(site + "at 1s rx-1 hears tag-9 -50")
	f(site + "at 1s zone attic removed")
	f(site + "at 1s rx-1 delivers\ntag tag-8")
	f(site + "at 1s rx-1 delivers\ncheck tag-7 within 1m of 1,1\nexpect nothing")
	f(site + "at 1s rx-1 delivers\ncheck tag-9 is present\nexpect nothing")
}

func TestRewriteReplacesExpectationsAndNothingElse(t *testing.T) {
	before := site + `
# A comment, and a check that stays.
at 10s..20s every 1s rx-1 hears tag-7 -48
check tag-7 is present
expect at 99s tag-7 enters hall
expect nothing

at 21s rx-1 delivers
`
	want := site + `
# A comment, and a check that stays.
at 10s..20s every 1s rx-1 hears tag-7 -48
check tag-7 is present
expect at 10s tag-7 appears on ground
expect at 10s tag-7 enters kitchen
expect kitchen holds 1

at 21s rx-1 delivers
expect nothing
`
	after := actortest.RunText(t, "scenario", before, true)
	if after != want {
		t.Errorf("rewritten as\n%s", after)
	}
	if again := actortest.RunText(t, "scenario", after, true); again != after {
		t.Errorf("a second rewrite changed it to\n%s", again)
	}
}
