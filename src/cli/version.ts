import { readFileSync } from "node:fs";

/** The package's version. Its file is one folder further up from a test build than from `dist`. */
export function packageVersion(): string {
  for (const place of ["../../package.json", "../../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (name === "holdfast") return String(version);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}
