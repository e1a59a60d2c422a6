package accounthttp_test

import (
	"encoding/base64"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
)

const factor = "/api/v1/auth/totp"

// armed returns an account with a second factor, its secret and recovery codes.
func (w *world) armed(email string) (c *shelltest.Client, secret string, codes []string) {
	w.tb.Helper()
	c = w.enter(email)
	var begun struct{ Secret, URI, QR string }
	c.Want(200, "POST", factor, body{"password": shelltest.Password}, &begun)
	if !strings.HasPrefix(begun.URI, "otpauth://totp/MyBeacon:") || !strings.Contains(begun.URI, begun.Secret) {
		w.tb.Errorf("got %+v", begun)
	}
	image, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(begun.QR, "data:image/png;base64,"))
	if err != nil {
		w.tb.Fatal(err)
	}
	if _, err := png.Decode(strings.NewReader(string(image))); err != nil {
		w.tb.Error(err)
	}
	var made struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	c.Want(200, "PUT", factor, body{"code": w.code(begun.Secret, 0)}, &made)
	return c, begun.Secret, made.RecoveryCodes
}

// code returns the code of so many steps from now.
func (w *world) code(secret string, steps int) string {
	w.tb.Helper()
	code, err := totp.GenerateCode(secret, w.now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		w.tb.Fatal(err)
	}
	return code
}

func try(word, code string) body {
	return body{"email": "a@example.com", "password": word, "code": code}
}

func TestSecondFactor(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	c := w.enter("a@example.com")
	c.Refuse(400, "POST", factor, body{"password": "a guess of mine"})
	c.Want(200, "POST", factor, body{"password": shelltest.Password}, nil)
	c.Refuse(400, "PUT", factor, body{"code": "000000"})
	w.enter("a@example.com") // what is only begun asks for nothing
	c, secret, codes := w.armed("a@example.com")
	if len(codes) != 10 || len(codes[0]) != 19 {
		t.Fatalf("got %q", codes)
	}
	var who shell.Me
	c.Want(200, "GET", me, nil, &who)
	if !who.User.TOTP {
		t.Error("the second factor does not show")
	}
	n := w.Nobody()
	// Only who knows the password learns of the second factor.
	if p := n.Refuse(401, "POST", login, try(shelltest.Password, "")); len(p.Errors) != 1 || p.Errors[0].Field != "code" {
		t.Errorf("got %+v", p)
	}
	if p := n.Refuse(401, "POST", login, try("a guess of mine", w.code(secret, 1))); len(p.Errors) != 0 {
		t.Errorf("got %+v", p)
	}
	if p := n.Refuse(401, "POST", login, try(shelltest.Password, "000000")); len(p.Errors) != 1 {
		t.Errorf("got %+v", p)
	}
	// The code that switched it on was used; the next one works once, also early.
	n.Refuse(401, "POST", login, try(shelltest.Password, w.code(secret, 0)))
	next := w.code(secret, 1)
	n.Want(200, "POST", login, try(shelltest.Password, next[:3]+" "+next[3:]), nil)
	w.Nobody().Refuse(401, "POST", login, try(shelltest.Password, next))
	w.pass(2 * time.Minute)
	w.Nobody().Refuse(401, "POST", login, try(shelltest.Password, w.code(secret, 2)))
	w.Nobody().Refuse(401, "POST", login, try(shelltest.Password, w.code(secret, -2)))
	w.Nobody().Want(200, "POST", login, try(shelltest.Password, w.code(secret, -1)), nil)

	recovery := strings.ToLower(codes[3])
	w.Nobody().Want(200, "POST", login, try(shelltest.Password, recovery), nil)
	w.Nobody().Refuse(401, "POST", login, try(shelltest.Password, recovery))
	c.Want(200, "POST", factor+"/recovery", body{"password": shelltest.Password}, nil)
	w.Nobody().Refuse(401, "POST", login, try(shelltest.Password, codes[4]))
	w.pass(15 * time.Minute) // the failures above are forgotten
	c.Refuse(409, "POST", factor, body{"password": shelltest.Password})
	c.Want(204, "POST", factor+"/off", body{"password": shelltest.Password}, nil)
	w.enter("a@example.com")
	c.Refuse(409, "POST", factor+"/recovery", body{"password": shelltest.Password})
}

// Of many who use one code at once one gets in.
func TestCodeIsUsedOnce(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	a := w.Account(o, "a@example.com", "viewer")
	_, secret, codes := w.armed("a@example.com")
	for _, code := range []string{w.code(secret, 1), codes[0]} {
		var in atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				has, right, err := w.Factors().Check(t.Context(), a, code, w.now())
				if err != nil || !has {
					t.Errorf("got %v, %v", has, err)
				}
				if right {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			t.Errorf("%d got in with one code", in.Load())
		}
	}
}

// Codes are counted like passwords: ten wrong ones close the account for a while.
func TestCodesAreCounted(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	_, secret, _ := w.armed("a@example.com")
	n := w.Nobody()
	for range 10 {
		n.Refuse(401, "POST", login, try(shelltest.Password, "000000"))
	}
	n.Refuse(429, "POST", login, try(shelltest.Password, w.code(secret, 1)))
	w.pass(15 * time.Minute)
	n.Want(200, "POST", login, try(shelltest.Password, w.code(secret, 1)), nil)
}

// The secret is stored sealed, and for one account only.
func TestSecretIsSealed(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	a, b := w.Account(o, "a@example.com", "viewer"), w.Account(o, "b@example.com", "viewer")
	_, secret, _ := w.armed("a@example.com")
	stored, err := w.DB.SecondFactor(t.Context(), a.ID)
	if err != nil || strings.Contains(string(stored.Secret), secret) {
		t.Fatalf("stored %q, %v", stored.Secret, err)
	}
	_, err = w.DB.In(postgres.AllOrganisations()).Exec(t.Context(), `INSERT INTO totp (account, org, secret, confirmed_at)
		SELECT $2, org, secret, confirmed_at FROM totp WHERE account = $1`, a.ID, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, right, err := w.Factors().Check(t.Context(), b, w.code(secret, 1), w.now()); right || err == nil {
		t.Errorf("another account's secret opened: %v, %v", right, err)
	}
}
