package accounthttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"

	"github.com/pquerna/otp"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

type passwordOnly struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"512"`
	}
}

type secretOutput struct {
	Body struct {
		Secret string `json:"secret" doc:"For typing it by hand"`
		URI    string `json:"uri" doc:"otpauth://…"`
		QR     string `json:"qr" doc:"The same as an image, data:image/png;base64,…"`
	}
}

type codeInput struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"20" doc:"Of the authenticator"`
	}
}

type codesOutput struct {
	Body struct {
		RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Each lets in once without the authenticator; they are shown once"`
	}
}

func (r *routes) factor(s *shell.Server) {
	const path = "/api/v1/auth/totp"
	shell.Route(s, shell.SignedIn(), op("auth", "begin-totp", "POST", path, "Begin a second factor; it asks for nothing before its first code"), r.beginFactor)
	shell.Route(s, shell.SignedIn(), op("auth", "confirm-totp", "PUT", path, "Switch the second factor on by its first code"), r.confirmFactor)
	shell.Route(s, shell.SignedIn(), answering(op("auth", "end-totp", "POST", path+"/off", "Switch the second factor off"), done), r.endFactor)
	shell.Route(s, shell.SignedIn(), op("auth", "renew-recovery-codes", "POST", path+"/recovery", "Make new recovery codes; the old ones are worthless"), r.renewCodes)
}

// qrPixels is the side of the image; an authenticator reads it from a screen.
const qrPixels = 240

func (r *routes) beginFactor(ctx context.Context, in *passwordOnly) (*secretOutput, error) {
	p, err := r.prove(ctx, "password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	key, sealed, err := r.shell.Factors().NewSecret("MyBeacon", p.Account)
	if err != nil {
		return nil, err
	}
	err = r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		return postgres.BeginSecondFactor(ctx, tx, personOf(p), sealed)
	})
	if err != nil {
		return nil, err
	}
	out := &secretOutput{}
	out.Body.Secret, out.Body.URI = key.Secret(), key.URL()
	out.Body.QR, err = qr(key)
	return out, err
}

func qr(key *otp.Key) (string, error) {
	image, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return "", fmt.Errorf("draw the code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image); err != nil {
		return "", fmt.Errorf("encode the code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func (r *routes) confirmFactor(ctx context.Context, in *codeInput) (*codesOutput, error) {
	p := shell.PrincipalOf(ctx)
	if err := shell.OnlySessions(p); err != nil {
		return nil, err
	}
	stored, err := r.DB.SecondFactor(ctx, p.ID)
	switch {
	case schema.KindOf(err) == schema.NotFound:
		return nil, schema.Errorf(schema.Conflict, "", "begin with POST /api/v1/auth/totp")
	case err != nil:
		return nil, err
	}
	step := int64(0)
	proven, err := r.shell.Attempt(ctx, p.Email, func(context.Context) (bool, error) {
		var err error
		step, err = r.shell.Factors().Step(stored, p.ID, strings.ReplaceAll(in.Body.Code, " ", ""), r.shell.Now())
		return step != 0, err
	})
	if err == nil && !proven {
		err = schema.Errorf(schema.Invalid, "code", "is wrong; is the clock of your phone right?")
	}
	if err != nil {
		return nil, err
	}
	return r.withCodes(ctx, func(tx postgres.Tx, codes []string) error {
		return postgres.ConfirmSecondFactor(ctx, tx, personOf(p), step, codes)
	})
}

// withCodes stores new recovery codes by store and returns them as they are shown.
func (r *routes) withCodes(ctx context.Context, store func(postgres.Tx, []string) error) (*codesOutput, error) {
	codes := shell.NewRecoveryCodes()
	err := r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error { return store(tx, codes) })
	if err != nil {
		return nil, err
	}
	out := &codesOutput{}
	for _, code := range codes {
		out.Body.RecoveryCodes = append(out.Body.RecoveryCodes, shell.ShowCode(code))
	}
	return out, nil
}

func (r *routes) endFactor(ctx context.Context, in *passwordOnly) (*struct{}, error) {
	p, err := r.prove(ctx, "password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	return nil, r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		return postgres.EndSecondFactor(ctx, tx, personOf(p))
	})
}

func (r *routes) renewCodes(ctx context.Context, in *passwordOnly) (*codesOutput, error) {
	p, err := r.prove(ctx, "password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	stored, err := r.DB.SecondFactor(ctx, p.ID)
	if schema.KindOf(err) == schema.NotFound || err == nil && !stored.Confirmed {
		return nil, schema.Errorf(schema.Conflict, "", "the second factor is off")
	}
	if err != nil {
		return nil, err
	}
	return r.withCodes(ctx, func(tx postgres.Tx, codes []string) error {
		return postgres.ReplaceRecoveryCodes(ctx, tx, personOf(p), codes)
	})
}
