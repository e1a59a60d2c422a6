package replay

import (
	"fmt"
	"os"
	"time"
)

// Meter returns a [Config.Progress] that rewrites one line on the terminal, at
// most five times a second, or nil when the file is none: logs shall not fill
// with progress.
func Meter(terminal *os.File) func(done, total time.Duration) {
	info, err := terminal.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var shown time.Time
	return func(done, total time.Duration) {
		last := done >= total
		if time.Since(shown) < 200*time.Millisecond && !last {
			return
		}
		shown = time.Now()
		end := ""
		if last {
			end = "\n"
		}
		share := 100 * min(done.Seconds()/max(total.Seconds(), 1), 1)
		_, _ = fmt.Fprintf(terminal, "\r%5.1f %%  %v of %v sent %s", share, done.Round(time.Second), total.Round(time.Second), end)
	}
}
