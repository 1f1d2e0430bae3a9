/** Functions and words by what they may do. Everything that is not here is taken to change something. */
import type { Dialect, Token } from "./statement-lexer.ts";

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/**
 * Reserved words that may stand before a bracket: no function can have such a name without quotes. Words that are not
 * reserved (`over`, `filter`, `key` …) could be somebody's function, and count only where the grammar asks for them.
 */
const COMMON_RESERVED = words(`
  select from where and or not in exists all as on using group order having union except intersect distinct limit fetch
  case when then else like between with table check references collate for default unique values row cast interval
  decimal dec numeric char varchar character float real int integer bigint smallint
`);

const RESERVED: Record<Dialect, Set<string>> = {
  mysql: new Set([
    ...COMMON_RESERVED,
    ...words(
      "is join straight_join div xor regexp rlike force ignore use match key index primary partition binary",
    ),
  ]),
  postgres: new Set([
    ...COMMON_RESERVED,
    ...words("any some ilike array variadic bit time timestamp end offset lateral window"),
  ]),
};

/** Words that are no function right after one of these. */
const AFTER: Record<string, ReadonlySet<string>> = {
  by: words("group order partition"),
  over: words(")"),
  filter: words(")"),
  group: words("within"),
  sets: words("grouping"),
  rollup: words("by"),
  cube: words("by"),
  materialized: words("as not"),
  against: words(")"),
  of: words("member"),
  any: words("= < > <= >= <> != like ilike"),
  some: words("= < > <= >= <> !="),
  bernoulli: words("tablesample"),
  system: words("tablesample"),
  varying: words("character char bit"),
  lateral: words(", join"),
};

const COMMON_PURE = words(`
  abs ceil ceiling floor round sign sqrt power pow exp ln log log10 mod pi degrees radians
  acos asin atan atan2 cos cot sin tan greatest least coalesce nullif
  lower upper char_length character_length octet_length bit_length length ltrim rtrim trim lpad rpad left right
  reverse repeat replace position substring substr concat concat_ws ascii md5 translate
  count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp bit_and bit_or bit_xor grouping
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  percentile_cont percentile_disc median
  now current_date current_time current_timestamp localtime localtimestamp extract version current_user session_user
  user convert to_char timestamp year
`);

const MYSQL_PURE = words(`
  left right char if ifnull isnull strcmp field find_in_set elt make_set export_set interval any_value values value
  ucase lcase mid substring_index locate instr insert space format hex unhex quote soundex char ord bin oct conv
  to_base64 from_base64 regexp_like regexp_instr regexp_replace regexp_substr weight_string trim_oracle
  crc32 sha sha1 sha2 aes_encrypt aes_decrypt compress uncompress uncompressed_length crc32c
  truncate log2 rand uuid uuid_short bin_to_uuid uuid_to_bin is_uuid sys_guid sleep
  curdate curtime sysdate utc_date utc_time utc_timestamp date time year month day dayname dayofmonth dayofweek
  dayofyear weekday week weekofyear yearweek quarter hour minute second microsecond monthname last_day
  adddate subdate date_add date_sub addtime subtime datediff timediff timestampdiff timestampadd timestamp
  date_format time_format str_to_date from_days to_days to_seconds from_unixtime unix_timestamp sec_to_time
  time_to_sec makedate maketime period_add period_diff get_format convert_tz add_months months_between to_date
  group_concat std json_arrayagg json_objectagg
  json_array json_object json_quote json_unquote json_extract json_contains json_contains_path json_keys json_search
  json_value json_query json_exists json_valid json_type json_depth json_length json_pretty json_detailed json_compact
  json_loose json_merge json_merge_patch json_merge_preserve json_set json_insert json_replace json_remove
  json_array_append json_array_insert json_equals json_normalize json_overlaps json_storage_size member
  inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6 is_ipv4_mapped is_ipv4_compat
  database schema connection_id charset collation coercibility system_user current_role
  is_free_lock is_used_lock bit_count dec nvl nvl2 decode_oracle chr rownum
  st_astext st_asbinary st_asgeojson st_geomfromtext st_geomfromgeojson st_x st_y st_distance st_distance_sphere
  st_contains st_within st_intersects st_area st_length st_srid point
`);

const POSTGRES_PURE = words(`
  cbrt trunc div gcd lcm factorial width_bucket random scale min_scale trim_scale
  sinh cosh tanh acosd asind atand cosd sind tand
  btrim initcap chr split_part strpos overlay format starts_with to_hex quote_ident quote_literal quote_nullable
  regexp_replace regexp_match regexp_matches regexp_split_to_table regexp_split_to_array regexp_count regexp_instr
  regexp_like regexp_substr string_to_array string_to_table array_to_string normalize unistr
  sha224 sha256 sha384 sha512 encode decode get_byte get_bit set_byte set_bit convert_from convert_to
  parse_ident crc32 crc32c
  age clock_timestamp statement_timestamp transaction_timestamp timeofday date_part date_trunc date_bin isfinite
  justify_days justify_hours justify_interval make_date make_time make_timestamp make_timestamptz make_interval
  to_date to_timestamp to_number timezone date_add date_subtract pg_sleep
  every bool_and bool_or array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg range_agg mode
  corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
  unnest array_length array_position array_positions array_append array_prepend array_cat array_remove array_replace
  array_upper array_lower array_ndims array_dims array_fill cardinality generate_series generate_subscripts trim_array
  array_sort array_reverse array_shuffle array_sample
  json_build_object jsonb_build_object json_build_array jsonb_build_array json_object jsonb_object json_array to_json
  to_jsonb row_to_json array_to_json json_array_elements json_array_elements_text jsonb_array_elements
  jsonb_array_elements_text json_each json_each_text jsonb_each jsonb_each_text json_object_keys jsonb_object_keys
  json_typeof jsonb_typeof json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text
  jsonb_set jsonb_set_lax jsonb_insert json_strip_nulls jsonb_strip_nulls json_populate_record
  json_populate_recordset jsonb_populate_record jsonb_populate_recordset json_to_record json_to_recordset
  jsonb_to_record jsonb_to_recordset jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_path_exists
  jsonb_path_match jsonb_pretty json_array_length jsonb_array_length json_value json_query json_exists json_scalar
  gen_random_uuid uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version
  current_database current_catalog current_schema current_schemas current_setting current_role current_query
  pg_backend_pid pg_is_in_recovery pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
  pg_current_wal_lsn pg_wal_lsn_diff pg_postmaster_start_time pg_conf_load_time
  pg_typeof pg_get_expr pg_get_userbyid pg_get_constraintdef pg_get_indexdef pg_get_viewdef pg_get_functiondef
  pg_get_triggerdef pg_get_serial_sequence pg_get_keywords pg_get_ruledef pg_get_function_arguments
  pg_get_function_identity_arguments pg_get_function_result pg_get_partkeydef
  pg_table_is_visible pg_type_is_visible pg_function_is_visible obj_description col_description shobj_description
  format_type to_regclass to_regtype to_regproc to_regprocedure to_regnamespace to_regrole pg_encoding_to_char
  has_table_privilege has_schema_privilege has_database_privilege has_column_privilege has_function_privilege
  has_sequence_privilege pg_has_role pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size
  pg_database_size pg_tablespace_size pg_size_pretty pg_size_bytes pg_column_size pg_relation_filepath
  host family masklen netmask network broadcast hostmask abbrev set_masklen inet_client_addr inet_client_port
  inet_server_addr inet_server_port inet_merge inet_same_family
  isempty lower_inc upper_inc lower_inf upper_inf range_merge int4range int8range numrange tsrange tstzrange daterange
  to_tsvector to_tsquery plainto_tsquery websearch_to_tsquery phraseto_tsquery ts_rank ts_rank_cd ts_headline setweight
  numnode querytree ts_delete ts_filter tsvector_to_array array_to_tsvector
  enum_first enum_last enum_range num_nonnulls num_nulls
  pg_listening_channels txid_current_if_assigned pg_current_xact_id_if_assigned pg_snapshot_xmin
`);

const PURE: Record<Dialect, Set<string>> = {
  mysql: new Set([...COMMON_PURE, ...MYSQL_PURE]),
  postgres: new Set([...COMMON_PURE, ...POSTGRES_PURE]),
};

/** Functions and words that answer from what this very session did before. */
const RECALLING: Record<Dialect, Set<string>> = {
  mysql: words("last_insert_id found_rows row_count lastval"),
  postgres: words("lastval currval"),
};

/** MySQL's functions that are stored ones with a space before the bracket, unless `IGNORE_SPACE` is set. */
const SPACE_SENSITIVE = words(`
  adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_sub extract group_concat max mid min now
  position session_user std stddev stddev_pop stddev_samp subdate substr substring sum sysdate system_user trim
  variance var_pop var_samp
`);

export const isSpaceSensitive = (name: string): boolean => SPACE_SENSITIVE.has(name);
export const isPure = (name: string, dialect: Dialect): boolean => PURE[dialect].has(name);
/** Whether the bare word `name`, found before a bracket and after `before`, is part of the grammar and not a function. */
export const isGrammar = (name: string, before: string | undefined, dialect: Dialect): boolean =>
  RESERVED[dialect].has(name) ||
  (before !== undefined &&
    // PostgreSQL lets a function be called `join`: then an operator or a reserved word stands before it.
    (AFTER[name]?.has(before) === true ||
      (name === "join" && /^[\w)]/.test(before) && !RESERVED[dialect].has(before))));
export const isRecalling = (name: string, dialect: Dialect): boolean => RECALLING[dialect].has(name);

/** A predicate: the token is a bare word of the set. */
export function isSqlName(names: ReadonlySet<string>): (token: Token | undefined) => boolean {
  return (token) => token?.kind === "word" && names.has(token.text);
}
