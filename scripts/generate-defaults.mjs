/** Writes docs/defaults.md from src/options/defaults.ts. Needs the compiled tests: `npm run build:test` first. */
import { writeFileSync } from "node:fs";
import { defaultsPage } from "../build/test/options/defaults-page.js";

writeFileSync(new URL("../docs/defaults.md", import.meta.url), defaultsPage());
