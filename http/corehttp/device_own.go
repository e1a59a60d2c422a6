package corehttp

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Reports takes what devices say of themselves.
type Reports interface {
	// Reported does not wait; the report was checked.
	Reported(schema.DeviceID, wire.Report)
}

type deviceEnrolment struct {
	Body struct {
		MAC       string   `json:"mac" maxLength:"40"`
		PublicKey string   `json:"public_key,omitempty" maxLength:"64" doc:"Ed25519, 32 bytes as base64"`
		ClaimCode string   `json:"claim_code,omitempty" maxLength:"40"`
		Version   string   `json:"version,omitempty" maxLength:"64"`
		Modules   []string `json:"modules,omitempty" maxItems:"32" doc:"That it has, by product id"`
	}
}

type deviceEnrolled struct {
	Body struct {
		DeviceID schema.DeviceID `json:"device_id" format:"uuid"`
		Number   int64           `json:"number"`
		Bound    bool            `json:"bound" doc:"false: an administrator must bind it; its frames go nowhere until then"`
		Token    string          `json:"token,omitempty" doc:"Only with a claim code; a device with a key logs in"`
	}
}

type deviceLogin struct {
	Body struct {
		DeviceID  schema.DeviceID `json:"device_id" format:"uuid"`
		At        string          `json:"at" maxLength:"40" doc:"The present time, RFC 3339; each log-in has a later one"`
		Signature string          `json:"signature" maxLength:"100" doc:"Ed25519 over mybeacon-device-token, device_id and at, with line feeds between, as base64"`
	}
}

type deviceLoginOutput struct {
	Body struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

// DeviceCaller is the part of an input that says which device asks.
type DeviceCaller struct {
	Authorization string `header:"Authorization" doc:"Bearer and the device's token"`
}

type ownConfigInput struct {
	DeviceCaller
	IfNoneMatch string `header:"If-None-Match"`
}

type ownConfigOutput struct {
	Status  int
	ETag    string `header:"ETag"`
	Version int64  `header:"Mybeacon-Config-Version" doc:"To be reported once it runs"`
	Body    *wire.DeviceConfig
}

type deviceReport struct {
	DeviceCaller
	Body struct {
		Version       string          `json:"version,omitempty" maxLength:"64" doc:"Of its program"`
		ConfigVersion int64           `json:"config_version,omitempty" minimum:"0" doc:"That it runs; 0: none"`
		Modules       map[string]bool `json:"modules,omitempty" doc:"Which run, by product id"`
		Health        wire.Health     `json:"health,omitempty"`
	}
}

func (r *routes) deviceOwn(s *shell.Server) {
	tags := []string{"device"}
	device := []map[string][]string{{"device": {}}}
	shell.Route(s, shell.Public(), huma.Operation{
		OperationID: "enrol-device", Method: http.MethodPost, Path: "/api/v1/device/enrol", Tags: tags, Summary: "Register this device",
		Description: "With a key alone it waits until an administrator binds it; a claim code binds it at once.",
	}, r.enrol)
	shell.Route(s, shell.Public(), huma.Operation{
		OperationID: "device-token", Method: http.MethodPost, Path: "/api/v1/device/token", Tags: tags, Summary: "Log in with this device's key",
	}, r.logIn)
	shell.Route(s, shell.Public(), huma.Operation{
		OperationID: "device-config", Method: http.MethodGet, Path: "/api/v1/device/config", Tags: tags, Security: device,
		Summary: "Read this device's configuration", Description: "304 when it is the one that If-None-Match names.",
	}, r.ownConfig)
	shell.Route(s, shell.Public(), huma.Operation{
		OperationID: "device-report", Method: http.MethodPost, Path: "/api/v1/device/report", Tags: tags, Security: device,
		Summary: "Say how this device is and which configuration it runs", DefaultStatus: http.StatusNoContent,
	}, r.report)
}

// knock lets an address try at most so often: these routes are open to anybody.
func (r *routes) knock(ctx context.Context) error {
	return r.door.admit(audit.ActorOf(ctx).Address, time.Now())
}

func (r *routes) enrol(ctx context.Context, in *deviceEnrolment) (*deviceEnrolled, error) {
	if err := r.knock(ctx); err != nil {
		return nil, err
	}
	e := postgres.Enrolment{Code: in.Body.ClaimCode, Version: in.Body.Version, Modules: in.Body.Modules}
	var err error
	if e.MAC, err = postgres.ParseMAC(in.Body.MAC); err != nil {
		return nil, err
	}
	if e.Key, err = parseKey(in.Body.PublicKey); err != nil {
		return nil, err
	}
	if err := (wire.Report{Version: e.Version, Modules: namesOf(e.Modules)}).Check(); err != nil {
		return nil, err
	}
	if e.Code != "" {
		e.Token = postgres.NewSecret(postgres.DeviceTokenPrefix)
	}
	d, letIn, err := r.DB.Enrol(ctx, e)
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	out := &deviceEnrolled{}
	out.Body.DeviceID, out.Body.Number, out.Body.Bound = d.ID, d.Number, !d.Organisation.IsZero()
	if letIn {
		out.Body.Token = e.Token
	}
	return out, nil
}

func namesOf(ids []string) map[string]bool {
	names := make(map[string]bool, len(ids))
	for _, id := range ids {
		names[id] = true
	}
	return names
}

func parseKey(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, schema.Errorf(schema.Invalid, "public_key", "is an Ed25519 key of %d bytes as base64", ed25519.PublicKeySize)
	}
	return key, nil
}

func (r *routes) logIn(ctx context.Context, in *deviceLogin) (*deviceLoginOutput, error) {
	if err := r.knock(ctx); err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, in.Body.At)
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "at", "is a time such as 2026-01-31T12:00:00.250Z")
	}
	signature, err := base64.StdEncoding.DecodeString(in.Body.Signature)
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "signature", "is base64")
	}
	login := postgres.DeviceLogin{Device: in.Body.DeviceID, At: at, Signature: signature, Signed: wire.LoginMessage(in.Body.DeviceID, in.Body.At)}
	out := &deviceLoginOutput{}
	out.Body.Token = postgres.NewSecret(postgres.DeviceTokenPrefix)
	out.Body.ExpiresAt, err = r.DB.LogInDevice(ctx, login, out.Body.Token)
	out.Body.ExpiresAt = out.Body.ExpiresAt.UTC()
	return out, err
}

func (r *routes) own(ctx context.Context, in DeviceCaller) (postgres.Binding, error) {
	scheme, token, _ := strings.Cut(in.Authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return postgres.Binding{}, schema.Errorf(schema.Unauthorized, "Authorization", "is Bearer and the device's token")
	}
	return r.DB.DeviceByToken(ctx, strings.TrimSpace(token))
}

func (r *routes) ownConfig(ctx context.Context, in *ownConfigInput) (*ownConfigOutput, error) {
	bound, err := r.own(ctx, in.DeviceCaller)
	if err != nil {
		return nil, err
	}
	out := &ownConfigOutput{Status: http.StatusOK, ETag: fmt.Sprintf(`"c%d"`, bound.ConfigVersion), Version: bound.ConfigVersion}
	if in.IfNoneMatch == out.ETag {
		out.Status = http.StatusNotModified
		return out, nil
	}
	config, err := wire.ReadConfig([]byte(bound.ConfigJSON))
	out.Body = &config
	return out, err
}

func (r *routes) report(ctx context.Context, in *deviceReport) (*struct{}, error) {
	bound, err := r.own(ctx, in.DeviceCaller)
	if err != nil {
		return nil, err
	}
	b := in.Body
	report := wire.Report{Version: b.Version, ConfigVersion: b.ConfigVersion, Modules: b.Modules, Health: b.Health}
	if err := report.Check(); err != nil {
		return nil, err
	}
	if r.Reports != nil {
		r.Reports.Reported(bound.ID, report)
		return nil, nil
	}
	return nil, r.DB.ReportDevices(ctx, map[schema.DeviceID]wire.Report{bound.ID: report})
}
