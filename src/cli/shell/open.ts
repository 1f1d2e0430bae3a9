/** Makes the database behind the URL of `holdfast shell`. */
import type { Database } from "./database.ts";
import { type OpenOptions, readTarget } from "./target.ts";

/** @throws `HF_OPTION`, before anything is dialled */
export async function openDatabase(text: string, options: OpenOptions): Promise<Database> {
  const target = readTarget(text, options);
  if (target.settings.system === "postgres") {
    const { postgresDatabase } = await import("./postgres.ts");
    return postgresDatabase(target);
  }
  const { mysqlDatabase } = await import("./mysql.ts");
  return mysqlDatabase(target);
}
