package ble_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"mybeacon/engine/directory"
	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// Registering a tag, one after another, until the directory knows each: what it
// costs must not depend on how many there are.
func BenchmarkCreateTag(b *testing.B) {
	for _, there := range []int{0, 5_000, 50_000} {
		b.Run(fmt.Sprint(there), func(b *testing.B) {
			db := postgrestest.Open(b)
			org := postgrestest.Organisation(b, db, "o", "ble")
			const fill = `INSERT INTO ble_tag (id, org, transmitter, type, name)
				SELECT gen_random_uuid(), $1, 'ibeacon:00000000-0000-0000-0000-000000000000/' || n / 1000 || '/' || n % 1000, 'asset', 'tag ' || n
				FROM generate_series(1, $2) AS n`
			must(db.Pool().Exec(b.Context(), fill, org.ID, there))
			dir := directory.New(directory.Config{Devices: db, Log: slog.New(slog.DiscardHandler)})
			m := ble.New()
			host := module.Host{
				Log: slog.New(slog.DiscardHandler), DB: db, Clock: time.Now,
				Publish: func(w module.World) { dir.Publish("ble", w) },
				Extend:  func(w module.World) { dir.Extend("ble", w) },
			}
			if err := m.Start(b.Context(), host); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = m.Stop(context.Background()) }()
			n := uint32(0)
			for b.Loop() {
				n++
				tx := schema.IBeacon([16]byte{1}, uint16(n>>16), uint16(n))
				tag := must(m.CreateTag(b.Context(), org.ID, store.Tag{Tag: schema.Tag{Transmitter: tx, Name: "x", Type: "asset"}}))
				if id, ok := dir.Tag(org.ID, tx); !ok || id != tag.ID {
					b.Fatal("the tag is not known yet")
				}
			}
		})
	}
}
