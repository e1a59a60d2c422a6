package sqlhttp

import "github.com/danielgtaylor/huma/v2"

// operation describes the door.
func operation() huma.Operation {
	text := func(name, what string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: what, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	plain := map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	return huma.Operation{
		Method: "POST", Path: "/api/v1/client/sql", OperationID: "sql", Tags: []string{"warehouse"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}, {"key": {}}, {"password": {}}},
		Summary:  "Ask the warehouse in SQL",
		Description: "Speaks ClickHouse's HTTP interface, so that its clients can be used: the API key is the password, of any user. " +
			"One read-only statement, over the rows of one organisation. Tables: observations, fixes, zone_visits, names, receiver_offsets, " +
			"rederivations, quarantine; views with names: visits, occupancy, last_seen. Not taken: SETTINGS, EXPLAIN, table functions that read tables, system tables. " +
			"At most 2 statements of an organisation and 4 of all run at once, each for 30 seconds. Each is written into the audit log.",
		Parameters: []*huma.Param{
			text("organisation_id", "Required of a super-admin who acts in no organisation"),
			text("query", "The statement, or its beginning"),
			text("default_format", "Such as JSONEachRow, CSV, Parquet, ArrowStream; TabSeparated without"),
			text("param_NAME", "The value of {NAME:Type} in the statement"),
			text("database", "mybeacon"),
		},
		RequestBody: &huma.RequestBody{Description: "The statement, or the rest of it", Content: plain},
		Responses: map[string]*huma.Response{
			"200": {Description: "The rows, in the statement's FORMAT or the default one", Content: plain, Headers: map[string]*huma.Header{
				"X-ClickHouse-Format": {Description: "The format", Schema: &huma.Schema{Type: huma.TypeString}},
			}},
			"500": {Description: "The statement failed: ClickHouse's message, as text", Content: plain},
		},
	}
}
