package http

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// What [Server.exchange] does for every operation stands once among the components of
// the document; the operations refer to it.

// describeShared puts the components there.
func (s *Server) describeShared() {
	c := s.api.OpenAPI().Components
	problem := s.problemContent()
	refused := func(what string) *huma.Response { return &huma.Response{Description: what, Content: problem} }
	c.Responses = map[string]*huma.Response{
		"NotModified":        {Description: "The answer is still the one that If-None-Match names"},
		"Invalid":            refused("The request is not what the operation takes; errors says which input"),
		"Unauthorized":       refused("Nobody is logged in, or the token is unknown or has expired"),
		"Forbidden":          refused("The caller has no right to do this; detail says which"),
		"NotFound":           refused("There is no such object, or it is another organisation's"),
		"Conflict":           refused("It clashes with what is there, or the Idempotency-Key was used; Retry-After says when to ask for a request that still runs"),
		"PreconditionFailed": refused("The object was changed since it was read; see If-Match"),
		"TooMany":            refused("Too many requests of this account, organisation or address; Retry-After says when the next is answered"),
	}
	c.Responses["TooMany"].Headers = map[string]*huma.Header{"Retry-After": integerHeader("Seconds until the next request is answered")}
	c.Parameters = map[string]*huma.Param{
		"IfNoneMatch": header("If-None-Match", "The ETag of an answer that you have: 304 while it is still the same"),
		"IfMatch":     header("If-Match", "The ETag of what you have read: 412 when it was changed since. Of a part without an address to GET, that of the whole"),
		"IdempotencyKey": header(idempotencyHeader, "A text of your own, such as a random UUID: for 24 hours the request is done once, and who repeats it gets "+
			"the first answer; 409 with another body, while the first runs, or where the answer shows a secret once"),
	}
	text := func(what string) *huma.Header {
		return &huma.Header{Description: what, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	c.Headers = map[string]*huma.Header{
		"ETag":                text("For If-None-Match and If-Match; weak of a list"),
		"X-Request-Id":        text("Names the request in the server's log"),
		replayedHeader:        text("true when the answer is that of an earlier request with the key"),
		"RateLimit-Limit":     integerHeader("Requests at once, after a silence"),
		"RateLimit-Remaining": integerHeader("Requests that would be answered now"),
		"RateLimit-Reset":     integerHeader("Seconds until all of them would"),
	}
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		c.Responses["TooMany"].Headers[name] = sharedHeader(name)
	}
}

func header(name, what string) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: what, Schema: &huma.Schema{Type: huma.TypeString}}
}

func sharedHeader(name string) *huma.Header {
	return &huma.Header{Ref: "#/components/headers/" + name}
}

// describeExchange refers to what may be sent to the operation and what it may refuse.
func describeExchange(op *huma.Operation, known bool) {
	refuses := map[string]string{"400": "Invalid", "429": "TooMany"}
	if known {
		refuses["401"], refuses["403"], refuses["404"] = "Unauthorized", "Forbidden", "NotFound"
	}
	takes := ""
	switch {
	case op.Method == http.MethodGet:
		refuses["304"], takes = "NotModified", "IfNoneMatch"
	case op.Method == http.MethodPost && known:
		refuses["409"], takes = "Conflict", "IdempotencyKey"
	case op.Method != http.MethodPost:
		refuses["409"], refuses["412"], takes = "Conflict", "PreconditionFailed", "IfMatch"
	}
	for status, name := range refuses {
		op.Responses[status] = &huma.Response{Ref: "#/components/responses/" + name}
	}
	if takes != "" {
		op.Parameters = append(op.Parameters, &huma.Param{Ref: "#/components/parameters/" + takes})
	}
}

// describeSuccess refers to the headers of an operation's good answer, once huma has
// described that.
func describeSuccess(op *huma.Operation, known bool) {
	names := []string{"X-Request-Id"}
	if known {
		names = append(names, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
	}
	switch {
	case op.Method == http.MethodGet:
		names = append(names, "ETag")
	case op.Method == http.MethodPost && known:
		names = append(names, replayedHeader)
	}
	for status, response := range op.Responses {
		if status[0] != '2' {
			continue
		}
		if response.Headers == nil {
			response.Headers = map[string]*huma.Header{}
		}
		for _, name := range names {
			response.Headers[name] = sharedHeader(name)
		}
	}
}
