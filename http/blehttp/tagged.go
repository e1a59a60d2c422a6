package blehttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
)

// A plan and all that is on it have one tag, made of the plan's version: what moves by
// itself, such as whether receivers are online, stands behind a dot and does not
// hinder a change.

func planTag(version uint64) string { return `"p` + strconv.FormatUint(version, 10) + `"` }

// movingTag is the tag of an answer with what moves by itself.
func movingTag(version uint64, body any) (string, error) {
	text, err := json.Marshal(body)
	sum := sha256.Sum256(text)
	return `"p` + strconv.FormatUint(version, 10) + "." + hex.EncodeToString(sum[:8]) + `"`, err
}

// changes marks an operation that changes a plan while it is as If-Match says.
func changes(op huma.Operation) huma.Operation { return shell.OwnCondition(op) }

// expecting returns a context in which a plan is changed only while it has a tag of
// If-Match.
func expecting(ctx context.Context) context.Context {
	header := shell.IfMatch(ctx)
	if header == "" {
		return ctx
	}
	return store.Expect(ctx, func(version uint64) bool { return shell.Matches(header, planTag(version)) })
}
