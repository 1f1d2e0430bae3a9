/** What the SQL drivers share. */
export type { Dialect, Leftover, ReadSettings, SessionItem, Statement } from "./statement.ts";
export { isCured, readStatement } from "./statement.ts";
export { fromGoMysqlDsn, type GoMysqlDsnOptions } from "./translate/go-dsn.ts";
export type { TlsConfigs } from "./translate/go-dsn-parameters.ts";
export { fromMysqlUrl, fromSqlUrl } from "./translate/mysql-url.ts";
export { fromPostgresDsn, fromPostgresUrl } from "./translate/postgres-dsn.ts";
export type { SqlServerRole, SqlSettings, SqlSystem, SqlTls } from "./translate/settings.ts";
export { fromSqlYaml } from "./translate/yaml.ts";
