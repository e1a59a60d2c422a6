package http

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/schema"
)

func (s *Server) apiConfig() huma.Config {
	cfg := huma.DefaultConfig("MyBeacon", s.cfg.Version)
	cfg.Info.Description = "Who and what is where. Errors are problem documents (RFC 9457); lists are paged by cursor; times are RFC 3339 in UTC; " +
		"an object of another organisation is 404."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil // no $schema in answers: the document is the schema
	cfg.RejectUnknownQueryParameters = true
	// It is written as a time and not as the number that it is.
	cfg.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[schema.EventTime](), reflect.TypeFor[time.Time]())
	cfg.Transformers = []huma.Transformer{asProblem}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session":  {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "Set by POST /api/v1/auth/login"},
		"token":    {Type: "http", Scheme: "bearer", Description: "An API token of a person, mbt_…"},
		"key":      {Type: "http", Scheme: "bearer", Description: "An API key of an organisation, mbk_…: it may do what it was made for"},
		"password": {Type: "http", Scheme: "basic", Description: "An API token or key as the password, of any user"},
		"device":   {Type: "http", Scheme: "bearer", Description: "A device's token, mbd_…"},
	}
	// huma describes its own error type for every operation; ours is sent.
	cfg.OnAddOperation = append(cfg.OnAddOperation, func(api *huma.OpenAPI, _ *huma.Operation) {
		delete(api.Components.Schemas.Map(), "ErrorModel")
		delete(api.Components.Schemas.Map(), "ErrorDetail")
	})
	return cfg
}

// documentErrors describes the problem document as the answer to anything that
// goes wrong.
func (s *Server) documentErrors(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"default": {Description: "What went wrong", Content: s.problemContent()}}
}

// documentRaw describes the routes that are no operations of huma's, so that
// the document is whole.
func (s *Server) documentRaw() {
	device := []map[string][]string{{"device": {}}}
	user := []map[string][]string{{"session": {}}, {"token": {}}}
	for _, op := range []huma.Operation{
		{Method: "GET", Path: "/livez", OperationID: "livez", Summary: "The process answers", Tags: []string{"health"}},
		{Method: "GET", Path: "/readyz", OperationID: "readyz", Summary: "Ready for work: 200, also when degraded; else 503", Tags: []string{"health"}},
		{Method: "GET", Path: "/api/openapi.json", OperationID: "openapi", Summary: "This document", Tags: []string{"health"}},
		{Method: "GET", Path: "/api/docs", OperationID: "docs", Summary: "This document as a page", Tags: []string{"health"}},
		{Method: "GET", Path: "/api/v1/live", OperationID: "live", Tags: []string{"live"}, Security: user,
			Summary:     "Live positions of a location, as a WebSocket",
			Description: "Sub-protocol mybeacon.v1+json. Authenticate by cookie from the same origin, by Authorization, or by ?ticket=."},
		{Method: "GET", Path: "/api/v1/live/snapshot", OperationID: "live-snapshot", Tags: []string{"live"}, Security: user,
			Summary: "Live positions of a location, for who cannot open the WebSocket",
			Description: "The messages that the socket would have sent by now, under messages: all that is there, or with ?since=EPOCH.SEQ of the last message what changed since. " +
				"Ask again every few seconds; a tag that moved often meanwhile is told of once.",
			Parameters: []*huma.Param{
				{Name: "location", In: "query", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Format: "uuid"}},
				{Name: "since", In: "query", Description: "epoch and seq of the last message, with a dot between them", Schema: &huma.Schema{Type: huma.TypeString}},
			}},
		{Method: "GET", Path: "/api/v1/device/stream", OperationID: "device-stream", Tags: []string{"device"}, Security: device,
			Summary:     "Frames of a device, as a WebSocket",
			Description: "Sub-protocol mybeacon.device.v1, binary protobuf messages."},
		{Method: "POST", Path: "/api/v1/device/frames", OperationID: "device-frames", Tags: []string{"device"}, Security: device,
			Summary:     "Frames of a device, as a request",
			Description: "Protobuf or JSON, plain or gzip; the answer acknowledges ranges of frames, and what it does not name is sent again.",
			Responses:   s.documentAgain()},
	} {
		s.Describe(op)
	}
}

// documentAgain describes the answers of a device's frames: those that tell it to
// send them again later, too.
func (s *Server) documentAgain() map[string]*huma.Response {
	after := integerHeader("Seconds until the frames may be sent again")
	problem := s.problemContent()
	return map[string]*huma.Response{
		"200": {Description: http.StatusText(http.StatusOK)},
		"429": {
			Description: "The organisation is above its quota, or too many requests are open: send the frames again later",
			Headers: map[string]*huma.Header{
				"Retry-After": after, "RateLimit-Limit": integerHeader("Frames a second"), "RateLimit-Remaining": integerHeader("Frames that would be taken at once"),
				"RateLimit-Reset": integerHeader("Seconds until the whole burst may be sent"),
			},
			Content: problem,
		},
		"503": {
			Description: "Storage takes nothing, or the server is full or stops: send the frames again later. The live maps may have them already; nothing is counted twice",
			Headers:     map[string]*huma.Header{"Retry-After": after},
			Content:     problem,
		},
	}
}

func integerHeader(what string) *huma.Header {
	return &huma.Header{Description: what, Schema: &huma.Schema{Type: huma.TypeInteger}}
}

// problemContent is the body of every error.
func (s *Server) problemContent() map[string]*huma.MediaType {
	problem := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return map[string]*huma.MediaType{problemType: {Schema: problem}}
}

func (s *Server) marshalDocument() []byte {
	document, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		panic("BUG: the OpenAPI document cannot be encoded: " + err.Error())
	}
	return append(document, '\n')
}

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
	_, _ = w.Write(s.document()) // the peer has gone: nobody is left to tell
}
