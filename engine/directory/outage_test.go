package directory_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/directory"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// lost is a store that answered once and is away since: with virtual time a real
// one cannot be asked.
type lost struct {
	bound postgres.Binding
}

func (l lost) Bindings(context.Context, postgres.Scope) ([]postgres.Binding, error) {
	return []postgres.Binding{l.bound}, nil
}

func (l lost) Names(context.Context, postgres.Scope) ([]postgres.Named, error) { return nil, nil }

func (l lost) DeviceByToken(context.Context, string) (postgres.Binding, error) {
	return postgres.Binding{}, errors.New("connection refused")
}

// A token that the store knew last lets in for a day of an outage, also one that
// was not shown before; then nobody vouches for it any more.
func TestTokensAreBelievedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := lost{bound: postgres.Binding{TokenHash: sha256.Sum256([]byte("token"))}}
		store.bound.ID = schema.DeviceID{1}
		d := directory.New(directory.Config{Devices: store, Log: slog.New(slog.DiscardHandler)})
		if err := d.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := func(after time.Duration, token string, want bool) {
			t.Helper()
			time.Sleep(after)
			dev, err := d.DeviceByToken(t.Context(), token)
			if got := err == nil && dev.Device == store.bound.ID; got != want || !want && schema.KindOf(err) != schema.Unavailable {
				t.Errorf("%q: %+v, %v", token, dev, err)
			}
		}
		f(0, "token", true)
		f(0, "another", false)
		f(0, "", false)
		f(23*time.Hour, "token", true)
		f(2*time.Hour, "token", false)
	})
}
