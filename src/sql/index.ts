/** What the SQL drivers share. */

export { type PoolResilience, poolResilience } from "../observe/index.ts";
export { classOfSystemCode } from "./codes.ts";
export { type SqlConnectorRules, type SqlConnectorSettings, sqlConnector } from "./connector.ts";
export {
  type EndpointOptions,
  type ReadEndpointOptions,
  readEndpoint,
  readEndpointOptions,
} from "./endpoint-options.ts";
export { type Ending, type SqlJob, settle } from "./job.ts";
export { LeaseDriver, type LeaseRules, poolEndpoint } from "./lease-driver.ts";
export { type SqlConnection, SqlLine } from "./line.ts";
export { PoolRunner } from "./runner.ts";
export type { Dialect, Leftover, ReadSettings, SessionItem, Statement } from "./statement.ts";
export { isCured, readStatement } from "./statement.ts";
export { runTransaction, type TransactionOptions, type TransactionSteps } from "./transaction.ts";
export { fromGoMysqlDsn, type GoMysqlDsnOptions } from "./translate/go-dsn.ts";
export type { TlsConfigs } from "./translate/go-dsn-parameters.ts";
export { fromMysqlUrl, fromSqlUrl } from "./translate/mysql-url.ts";
export { fromPostgresDsn, fromPostgresUrl } from "./translate/postgres-dsn.ts";
export type { SqlServerRole, SqlSettings, SqlSystem, SqlTls } from "./translate/settings.ts";
export { fromSqlYaml } from "./translate/yaml.ts";
export { Underway } from "./underway.ts";
