package chhost

import (
	"net/url"
	"slices"
	"sort"
	"strings"
)

// URL keys that belong to the HTTP interface and not to the engine. The second
// group is what clients send as a matter of course and what changes nothing here.
var interfaceKeys = []string{
	"query", "database", "default_format", "compress", "decompress", "query_id", "client_protocol_version", "wait_end_of_query",
	"network_compression_method", "network_zstd_compression_level", "enable_http_compression", "http_zlib_compression_level",
	"send_progress_in_http_headers", "http_headers_progress_interval_ms", "add_http_cors_header", "buffer_size", "quota_key",
	"http_write_exception_in_output_format", "cancel_http_readonly_queries_on_client_close", "role",
}

// Engine settings a caller may choose. Not among them: readonly, everything
// that reaches outside (files, hosts, users), and log_comment, which is the
// host's handle on a running statement.
var serverSettings = []string{
	"max_execution_time", "max_memory_usage", "max_threads", "max_insert_threads", "max_block_size", "max_result_rows", "max_result_bytes",
	"result_overflow_mode", "max_rows_to_read", "max_bytes_to_read", "max_rows_to_group_by", "group_by_overflow_mode",
	"max_bytes_before_external_group_by", "max_bytes_before_external_sort", "max_partitions_per_insert_block",
	"insert_deduplicate", "insert_deduplication_token", "deduplicate_blocks_in_dependent_materialized_views",
	"async_insert", "wait_for_async_insert", "async_insert_max_data_size", "async_insert_busy_timeout_ms",
	"max_insert_block_size", "min_insert_block_size_rows", "min_insert_block_size_bytes", "parallel_view_processing",
	"mutations_sync", "alter_sync", "lightweight_deletes_sync", "lightweight_mutation_projection_mode", "optimize_throw_if_noop",
	"final", "join_use_nulls", "join_algorithm", "group_by_use_nulls", "prefer_column_name_to_alias", "use_query_cache",
	"optimize_move_to_prewhere", "optimize_read_in_order", "optimize_aggregation_in_order", "do_not_merge_across_partitions_select_final",
	"force_index_by_date", "force_primary_key", "date_time_input_format", "session_timezone", "extremes", "limit", "offset",
	"use_skip_indexes_if_final", "select_sequential_consistency", "allow_suspicious_low_cardinality_types", "timeout_overflow_mode",
}

var readerSettings = []string{
	"max_execution_time", "max_threads", "max_block_size", "max_result_rows", "max_result_bytes", "result_overflow_mode", "final",
	"join_use_nulls", "group_by_use_nulls", "session_timezone", "extremes", "limit", "offset", "prefer_column_name_to_alias",
}

// sharedPrefixes are families of harmless settings: how values are written and read.
var sharedPrefixes = []string{"output_format_", "input_format_", "format_csv_", "format_tsv_", "date_time_output_format", "format_custom_"}

// chosen picks the engine settings and the parameters out of a request's URL,
// refusing every key it does not know.
func chosen(q url.Values, who class) (settings, params map[string]string, err error) {
	settings, params = map[string]string{}, map[string]string{}
	for key, values := range q {
		value := values[len(values)-1]
		switch {
		case strings.ContainsRune(value, 0):
			return nil, nil, refuse(codeSetting, "parameter %q holds a zero byte", key)
		case strings.HasPrefix(key, "param_"):
			params[strings.TrimPrefix(key, "param_")] = value
		case slices.Contains(interfaceKeys, key):
		case allowedSetting(key, who):
			settings[key] = value
		default:
			return nil, nil, refuse(codeSetting, "Setting %s is unknown or not open to callers of the embedded warehouse (UNKNOWN_SETTING)", quote(key))
		}
	}
	return settings, params, nil
}

func allowedSetting(key string, who class) bool {
	list := serverSettings
	if who != server {
		list = readerSettings
	}
	if slices.Contains(list, key) {
		return true
	}
	// The key becomes part of a statement.
	plain := strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	return plain && slices.ContainsFunc(sharedPrefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// setStatement returns the SET for the settings, or "" for none.
func setStatement(settings map[string]string) string {
	if len(settings) == 0 {
		return ""
	}
	pairs := make([]string, 0, len(settings))
	for key, value := range settings {
		pairs = append(pairs, key+" = "+quote(value))
	}
	sort.Strings(pairs)
	return "SET " + strings.Join(pairs, ", ")
}

// quote returns s as a string of ClickHouse SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quoteName returns s as an identifier of ClickHouse SQL.
func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
