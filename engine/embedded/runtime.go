package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/cpu"
)

// RuntimeEnv names the directory of the stores' binaries.
const RuntimeEnv = "MYBEACON_RUNTIME"

// installedRuntime is where a package of the operating system puts the binaries.
const installedRuntime = "/usr/lib/mybeacon/runtime"

// orOwnServers ends every message about missing binaries: there is always this way.
const orOwnServers = "or point MYBEACON_POSTGRES_URL and MYBEACON_CLICKHOUSE_URL at servers of your own"

// Runtime is where the binaries of the embedded stores are.
type Runtime struct {
	PostgresDir string // holds bin/postgres, bin/initdb, lib/, share/
	LibChDB     string // libchdb.so
}

// FindRuntime locates the binaries: in dir if it is not empty, else in
// $MYBEACON_RUNTIME, else in deploy/runtime/node_modules of the executable's or
// the working directory's parents, else in /usr/lib/mybeacon/runtime. The error
// names the fix, also where the platform or the processor cannot run them.
func FindRuntime(dir string) (Runtime, error) {
	if err := checkPlatform(runtime.GOOS, runtime.GOARCH, cpu.X86.HasAVX2); err != nil {
		return Runtime{}, err
	}
	if dir == "" {
		dir = os.Getenv(RuntimeEnv)
	}
	if dir != "" {
		rt, err := runtimeIn(dir)
		if err != nil {
			return Runtime{}, fmt.Errorf("the binaries of the embedded stores are not in %s: %w; run 'make runtime', %s", dir, err, orOwnServers)
		}
		return rt, nil
	}
	for _, dir := range runtimeCandidates() {
		if rt, err := runtimeIn(dir); err == nil {
			return rt, nil
		}
	}
	return Runtime{}, fmt.Errorf("the binaries of the embedded stores are not installed: run 'make runtime' (or set %s to their directory), %s", RuntimeEnv, orOwnServers)
}

func checkPlatform(goos, goarch string, avx2 bool) error {
	switch {
	case goos != "linux" || goarch != "amd64":
		return fmt.Errorf("the embedded stores run on linux/amd64, this is %s/%s: use such a machine, %s", goos, goarch, orOwnServers)
	case !avx2:
		return errors.New("this processor has no AVX2, which the embedded ClickHouse needs: use a processor of 2013 or later (in a virtual machine, CPU type 'host'), " + orOwnServers)
	}
	return nil
}

func runtimeCandidates() []string {
	var list []string
	add := func(from string, err error) {
		for err == nil {
			list = append(list, filepath.Join(from, "deploy", "runtime", "node_modules"))
			parent := filepath.Dir(from)
			if parent == from {
				return
			}
			from = parent
		}
	}
	exe, err := os.Executable()
	add(filepath.Dir(exe), err)
	add(os.Getwd())
	return append(list, installedRuntime)
}

func runtimeIn(dir string) (Runtime, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Runtime{}, err
	}
	rt := Runtime{
		PostgresDir: filepath.Join(dir, "@embedded-postgres", "linux-x64", "native"),
		LibChDB:     filepath.Join(dir, "@chdb", "lib-linux-x64-gnu", "libchdb.so"),
	}
	for _, file := range []string{rt.program("postgres"), rt.program("initdb"), rt.LibChDB} {
		if info, err := os.Stat(file); err != nil {
			return Runtime{}, err
		} else if !info.Mode().IsRegular() {
			return Runtime{}, fmt.Errorf("%s is not a file", file)
		}
	}
	return rt, nil
}

func (rt Runtime) program(name string) string { return filepath.Join(rt.PostgresDir, "bin", name) }
