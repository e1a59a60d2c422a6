package postgres_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// place is where a device may be bound; the zero place is nobody's.
type place struct {
	org schema.OrganisationID
	at  schema.LocationID
}

// Whatever is done to a device, its bindings never overlap, follow each other in the
// order of the changes, and say exactly where it was.
func TestBindingsAreTheSequenceOfChanges(t *testing.T) {
	db := postgrestest.Open(t)
	places := []place{{}}
	for i := range 2 {
		o := postgrestest.Organisation(t, db, fmt.Sprint("o", i))
		hall := postgrestest.Location(t, db, o, "hall")
		places = append(places, place{org: o.ID}, place{o.ID, hall.ID}, place{o.ID, postgrestest.Location(t, db, o, "yard").ID})
	}
	var n atomic.Int32
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.SampledFrom(places).Draw(rt, "first")
		mac := fmt.Sprintf("02:00:00:00:%02x:%02x", n.Add(1)/256, n.Load()%256)
		d := must(db.CreateDevice(t.Context(), at.org, postgres.Device{MAC: mac, Location: at.at, Clock: "device"}, ""))
		var want []place
		if !at.org.IsZero() {
			want = append(want, at)
		}
		for _, to := range rapid.SliceOfN(rapid.SampledFrom(places), 0, 6).Draw(rt, "moves") {
			if to.org.IsZero() {
				d = must(db.UnbindDevice(t.Context(), postgres.AllOrganisations(), d.ID))
			} else {
				d = must(db.BindDevice(t.Context(), postgres.AllOrganisations(), d.ID, to.org, to.at))
			}
			if to != at && !to.org.IsZero() {
				want = append(want, to)
			}
			at = to
		}
		if d.Organisation != at.org || d.Location != at.at {
			rt.Fatalf("it is at %v, want %v", place{d.Organisation, d.Location}, at)
		}
		checkHistory(rt, must(db.DeviceBindings(t.Context(), postgres.AllOrganisations(), d.ID)), want, !at.org.IsZero())
	})
}

func checkHistory(rt *rapid.T, history []postgres.BindingInterval, want []place, bound bool) {
	slices.Reverse(history)
	var got []place
	for i, b := range history {
		got = append(got, place{b.Organisation, b.Location})
		last := i == len(history)-1
		switch {
		case b.To.IsZero() && !(last && bound):
			rt.Fatalf("binding %d is open: %+v", i, history)
		case last && bound && !b.To.IsZero():
			rt.Fatalf("the present binding is closed: %+v", b)
		case !b.To.IsZero() && b.To.Before(b.From):
			rt.Fatalf("it ended before it began: %+v", b)
		case i > 0 && b.From.Before(history[i-1].To):
			rt.Fatalf("bindings %d and %d overlap: %+v", i-1, i, history)
		case b.SinceEver && i > 0:
			rt.Fatalf("only the first owner has what was heard before: %+v", history)
		}
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("bindings %v, want %v", got, want)
	}
}

// Two who bind at once: one after the other, and the history has both.
func TestBindingsAtOnce(t *testing.T) {
	db := postgrestest.Open(t)
	d, token := postgrestest.Device(t, db, postgrestest.Organisation(t, db, "o"), "02:00:00:00:00:01")
	var orgs []postgres.Organisation
	for i := range 8 {
		orgs = append(orgs, postgrestest.Organisation(t, db, fmt.Sprint("other", i)))
	}
	var all sync.WaitGroup
	for _, o := range orgs {
		all.Go(func() {
			if _, err := db.BindDevice(t.Context(), postgres.AllOrganisations(), d.ID, o.ID, schema.LocationID{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	history := must(db.DeviceBindings(t.Context(), postgres.AllOrganisations(), d.ID))
	if len(history) != 9 {
		t.Fatalf("%d bindings, want 9", len(history))
	}
	for i, b := range history[1:] {
		if b.To.IsZero() || history[i].From.Before(b.To) {
			t.Errorf("binding %d: %+v before %+v", i, b, history[i])
		}
	}
	if _, err := db.DeviceByToken(t.Context(), token); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("the token of the first organisation: %v, want unauthorized", err)
	}
	of := must(db.DeviceBindings(t.Context(), postgres.In(history[0].Organisation), d.ID))
	if len(of) != 1 {
		t.Errorf("the new organisation sees %d bindings, want its own", len(of))
	}
}

// A box that was deleted and comes again is another device, with another number, and
// what it heard in its former life is not the new owner's.
func TestDeletedDevicesComeAgainAsOthers(t *testing.T) {
	db := postgrestest.Open(t)
	a, b := postgrestest.Organisation(t, db, "a"), postgrestest.Organisation(t, db, "b")
	old, _ := postgrestest.Device(t, db, a, "02:00:00:00:00:01")
	if err := db.DeleteDevice(t.Context(), postgres.In(b.ID), old.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("another organisation deletes it: %v", err)
	}
	if err := db.DeleteDevice(t.Context(), postgres.AllOrganisations(), old.ID); err != nil {
		t.Fatal(err)
	}
	again, token := postgrestest.Device(t, db, b, old.MAC)
	if again.ID == old.ID || again.Number == old.Number {
		t.Errorf("it came again as the same: %+v", again)
	}
	if bound := must(db.DeviceByToken(t.Context(), token)); bound.Since.IsZero() {
		t.Error("the new owner has what the box ever heard")
	}
	fresh, token := postgrestest.Device(t, db, b, "02:00:00:00:00:02")
	if bound := must(db.DeviceByToken(t.Context(), token)); !bound.Since.IsZero() || bound.ID != fresh.ID {
		t.Errorf("a box that was nobody's: %+v", bound)
	}
}

// Of a thousand boxes that take one claim code at once, one gets in.
func TestClaimIsTakenOnce(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "o")
	claim := must(db.CreateClaims(t.Context(), o.ID, 1, time.Now().Add(time.Hour)))[0]
	var in, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			mac := fmt.Sprintf("02:00:00:01:%02x:%02x", i/256, i%256)
			d, letIn, err := db.Enrol(t.Context(), postgres.Enrolment{MAC: mac, Code: claim.Code, Token: postgres.NewSecret(postgres.DeviceTokenPrefix)})
			switch {
			case err == nil && letIn && d.Organisation == o.ID:
				in.Add(1)
			case schema.KindOf(err) == schema.Forbidden:
				refused.Add(1)
			default:
				t.Errorf("%v, %v", letIn, err)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 || refused.Load() != 999 {
		t.Errorf("%d got in and %d were refused, want 1 and 999", in.Load(), refused.Load())
	}
	if found, _, err := db.Devices(t.Context(), postgres.In(o.ID), postgres.DeviceFilter{}, postgres.Page{}); err != nil || len(found) != 1 {
		t.Errorf("%d devices, %v; want one", len(found), err)
	}
}

// Ten wrong guesses kill a code; what is no code at all counts for none.
func TestClaimDiesAfterTenGuesses(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "o")
	claims := must(db.CreateClaims(t.Context(), o.ID, 2, time.Now().Add(time.Hour)))
	enrol := func(code string) error {
		_, _, err := db.Enrol(t.Context(), postgres.Enrolment{MAC: "02:00:00:00:00:01", Code: code, Token: postgres.NewSecret(postgres.DeviceTokenPrefix)})
		return err
	}
	wrong := claims[0].Label + "-2222-2222"
	for i := range postgres.MaxClaimTries {
		for _, code := range []string{wrong, "", "nonsense", claims[0].Label} {
			if code != "" && schema.KindOf(enrol(code)) != schema.Forbidden {
				t.Fatalf("guess %d: %q got in", i, code)
			}
		}
	}
	if err := enrol(claims[0].Code); schema.KindOf(err) != schema.Forbidden {
		t.Errorf("a dead code: %v", err)
	}
	expired := must(db.CreateClaims(t.Context(), o.ID, 1, time.Now().Add(-time.Second)))[0]
	if err := enrol(expired.Code); schema.KindOf(err) != schema.Forbidden {
		t.Errorf("an expired code: %v", err)
	}
	list, _, err := db.Claims(t.Context(), postgres.In(o.ID), postgres.Page{})
	if err != nil || len(list) != 3 || list[0].Tries != postgres.MaxClaimTries || list[0].Code != "" {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := db.DeleteClaim(t.Context(), postgres.AllOrganisations(), claims[1].ID); err != nil {
		t.Fatal(err)
	}
	if err := enrol(claims[1].Code); schema.KindOf(err) != schema.Forbidden {
		t.Errorf("a code that was taken back: %v", err)
	}
}

func newKey(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// Nobody takes a registered device over with his own key, unless an administrator has
// reset it or the device's own organisation has given him a code.
func TestNoTakeover(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	mine, _ := newKey(t)
	foreign, _ := newKey(t)
	enrol := func(mac string, key []byte, code string) (postgres.Device, error) {
		d, _, err := db.Enrol(ctx, postgres.Enrolment{MAC: mac, Key: key, Code: code, Modules: []string{"ble"}, Token: postgres.NewSecret(postgres.DeviceTokenPrefix)})
		return d, err
	}
	const mac = "02:00:00:00:00:01"
	d := must(enrol(mac, mine, ""))
	if !d.Organisation.IsZero() || !d.Key || d.EnrolledAt.IsZero() || !d.ModulesRunning["ble"] {
		t.Errorf("registered as %+v", d)
	}
	if again := must(enrol(mac, mine, "")); again.ID != d.ID {
		t.Errorf("the same key is another device: %+v", again)
	}
	o, other := postgrestest.Organisation(t, db, "o"), postgrestest.Organisation(t, db, "other")
	bind := func() { must(db.BindDevice(ctx, postgres.AllOrganisations(), d.ID, o.ID, schema.LocationID{})) }
	code := func(to schema.OrganisationID) string {
		return must(db.CreateClaims(ctx, to, 1, time.Now().Add(time.Hour)))[0].Code
	}
	for name, refused := range map[string]func() error{
		"another key":                    func() error { _, err := enrol(mac, foreign, ""); return err },
		"a code for nobody":              func() error { _, err := enrol(mac, foreign, code(schema.OrganisationID{})); return err },
		"another organisation's code":    func() error { _, err := enrol(mac, foreign, code(other.ID)); return err },
		"another organisation's, no key": func() error { _, err := enrol(mac, nil, code(other.ID)); return err },
		"a box whose token people entered": func() error {
			x, _ := postgrestest.Device(t, db, o, "02:00:00:00:00:02")
			_, err := enrol(x.MAC, foreign, "")
			return err
		},
		"another's, while bound, by its key": func() error { bind(); _, err := enrol(mac, mine, code(other.ID)); return err },
	} {
		if err := refused(); schema.KindOf(err) != schema.Conflict {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	bind()
	if taken := must(enrol(mac, foreign, code(o.ID))); taken.ID != d.ID || taken.Organisation != o.ID {
		t.Errorf("with its own organisation's code: %+v", taken)
	}
	if _, err := enrol(mac, mine, ""); schema.KindOf(err) != schema.Conflict {
		t.Errorf("the former key: %v, want a conflict", err)
	}
	must(db.ResetDevice(ctx, postgres.AllOrganisations(), d.ID))
	if reset := must(enrol(mac, mine, "")); reset.ID != d.ID || reset.Organisation != o.ID {
		t.Errorf("after a reset: %+v", reset)
	}
	if _, err := enrol(mac, foreign, ""); schema.KindOf(err) != schema.Conflict {
		t.Errorf("a reset lets one key in, the second gets %v", err)
	}
}

// A log-in needs the key's signature over the present time, and works once.
func TestDeviceLogin(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	public, private := newKey(t)
	_, wrong := newKey(t)
	d, _, err := db.Enrol(ctx, postgres.Enrolment{MAC: "02:00:00:00:00:01", Key: public})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key ed25519.PrivateKey, device schema.DeviceID, at time.Time) postgres.DeviceLogin {
		signed := wire.LoginMessage(device, at.Format(time.RFC3339Nano))
		return postgres.DeviceLogin{Device: device, At: at, Signed: signed, Signature: ed25519.Sign(key, signed)}
	}
	token := func() string { return postgres.NewSecret(postgres.DeviceTokenPrefix) }
	now := time.Now().UTC()
	good := sign(private, d.ID, now)
	first := token()
	expires, err := db.LogInDevice(ctx, good, first)
	if err != nil || time.Until(expires) > postgres.LoginLifetime || time.Until(expires) < postgres.LoginLifetime-time.Minute {
		t.Fatalf("expires %v, %v", expires, err)
	}
	if bound := must(db.DeviceByToken(ctx, first)); bound.ID != d.ID {
		t.Errorf("the token lets %v in", bound.ID)
	}
	for name, login := range map[string]postgres.DeviceLogin{
		"the same again":    good,
		"an earlier one":    sign(private, d.ID, now.Add(-time.Second)),
		"another key":       sign(wrong, d.ID, now.Add(time.Second)),
		"another device":    sign(private, schema.NewID[schema.DeviceID](), now.Add(time.Second)),
		"two minutes late":  sign(private, d.ID, now.Add(-2*time.Minute)),
		"two minutes early": sign(private, d.ID, now.Add(2*time.Minute)),
	} {
		if _, err := db.LogInDevice(ctx, login, token()); schema.KindOf(err) != schema.Unauthorized {
			t.Errorf("%s: %v, want unauthorized", name, err)
		}
	}
	second := token()
	if _, err := db.LogInDevice(ctx, sign(private, d.ID, now.Add(2*time.Second)), second); err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeviceByToken(ctx, first); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("the token before: %v, want unauthorized", err)
	}
	if _, err := db.Pool().Exec(ctx, "UPDATE device SET login_expires = now() - interval '1 second'"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeviceByToken(ctx, second); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("an expired token: %v, want unauthorized", err)
	}
}

// A thousand of the same signed log-in at once: one gets in.
func TestDeviceLoginRace(t *testing.T) {
	db := postgrestest.Open(t)
	public, private := newKey(t)
	d, _, err := db.Enrol(t.Context(), postgres.Enrolment{MAC: "02:00:00:00:00:01", Key: public})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC()
	signed := wire.LoginMessage(d.ID, at.Format(time.RFC3339Nano))
	login := postgres.DeviceLogin{Device: d.ID, At: at, Signed: signed, Signature: ed25519.Sign(private, signed)}
	var in atomic.Int32
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := db.LogInDevice(context.WithoutCancel(t.Context()), login, postgres.NewSecret(postgres.DeviceTokenPrefix)); err == nil {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d got in, want 1", in.Load())
	}
}

// A device at no location is hidden from who sees only some, and one at a location that
// he may only look at cannot be changed.
func TestDevicesOfLocations(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "o")
	hall, yard, cellar := postgrestest.Location(t, db, o, "hall"), postgrestest.Location(t, db, o, "yard"), postgrestest.Location(t, db, o, "cellar")
	create := func(i int, at schema.LocationID) postgres.Device {
		return must(db.CreateDevice(ctx, o.ID, postgres.Device{MAC: fmt.Sprintf("02:00:00:00:00:%02x", i), Location: at, Clock: "device"}, ""))
	}
	inHall, inYard, inCellar, nowhere := create(1, hall.ID), create(2, yard.ID), create(3, cellar.ID), create(4, schema.LocationID{})
	limited := postgres.In(o.ID).At([]access.Grant{{Location: hall.ID, Write: true}, {Location: yard.ID}})
	seen, _, err := db.Devices(ctx, limited, postgres.DeviceFilter{}, postgres.Page{})
	if err != nil || len(seen) != 2 || seen[0].ID != inHall.ID || seen[1].ID != inYard.ID {
		t.Errorf("sees %+v, %v", seen, err)
	}
	rename := func(d postgres.Device) error {
		_, err := db.ChangeDevice(ctx, limited, d.ID, postgres.DevicePatch{Name: new("x")})
		return err
	}
	move := func(d postgres.Device, to schema.LocationID) error {
		_, err := db.ChangeDevice(ctx, limited, d.ID, postgres.DevicePatch{Location: &to})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want schema.Kind
	}{
		"rename what he may only look at": {rename(inYard), schema.Forbidden},
		"rename what is hidden":           {rename(inCellar), schema.NotFound},
		"rename what is nowhere":          {rename(nowhere), schema.NotFound},
		"move to where he may only look":  {move(inHall, yard.ID), schema.NotFound},
		"move to what is hidden":          {move(inHall, cellar.ID), schema.NotFound},
		"take away":                       {move(inHall, schema.LocationID{}), schema.Forbidden},
	} {
		if schema.KindOf(c.err) != c.want || c.err == nil {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	if err := rename(inHall); err != nil {
		t.Error(err)
	}
}
