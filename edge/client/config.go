package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// configured tells of a configuration. One that cannot be read changes nothing: the
// version that runs goes on being reported, so that people see it.
func (k *conn) configured(m *wirepb.Config) {
	config, err := wire.ReadConfig(m.Json)
	if err != nil {
		k.cfg.Log.Error("the configuration cannot be read", "version", m.Version, "error", err)
		return
	}
	if k.cfg.OnConfig != nil {
		k.cfg.OnConfig(m.Version, config)
	}
}

// tellAgain makes the newest report due for a new connection.
func (k *conn) tellAgain() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.report == nil {
		k.report = k.told
	}
}

// sendReport sends the report that is due, if the engine takes reports.
func (k *conn) sendReport(ctx context.Context) error {
	k.mu.Lock()
	due := k.report
	k.mu.Unlock()
	if due == nil || !k.takesReports {
		return nil
	}
	if err := k.sendControl(ctx, &wirepb.ToEngine{Body: &wirepb.ToEngine_Report{Report: due.Message()}}); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told = due; k.report == due {
		k.report = nil
	}
	return nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// KeyLogin returns a [Config.Login] for a device that enrolled with the key: each call
// proves it anew and gets a token that lets the device in for an hour. The error is
// [schema.Unauthorized] when the engine does not know the key, or the clock is wrong.
func KeyLogin(server string, device schema.DeviceID, key ed25519.PrivateKey, web *http.Client) func(context.Context) (string, error) {
	if web == nil {
		web = &http.Client{}
	}
	return func(ctx context.Context) (string, error) {
		at := time.Now().UTC().Format(time.RFC3339Nano)
		signature := ed25519.Sign(key, wire.LoginMessage(device, at))
		body := map[string]string{"device_id": device.String(), "at": at, "signature": base64.StdEncoding.EncodeToString(signature)}
		var answer struct {
			Token string `json:"token"`
		}
		err := post(ctx, web, server, "/api/v1/device/token", body, &answer)
		return answer.Token, err
	}
}

func post(ctx context.Context, web *http.Client, server, path string, body, answer any) error {
	base, err := url.Parse(server)
	if err != nil || base.Host == "" {
		return schema.Errorf(schema.Invalid, "url", "%.200q is not an address such as https://beacon.example.org", server)
	}
	base.Scheme = strings.Replace(base.Scheme, "ws", "http", 1)
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, streamPath), "/") + path
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return schema.Errorf(schema.Unauthorized, "", "the engine answered %s", resp.Status)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the engine answered %s: %.200q", resp.Status, got)
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
