#!/usr/bin/env node
/** The `holdfast` command: a short list; each command has a file of its own. */
import { Command } from "commander";
import { demoCommand } from "./demo.ts";
import { planCommand } from "./plan.ts";
import { proxyCommand } from "./proxy.ts";
import { run } from "./run.ts";
import { packageVersion } from "./version.ts";

const program = new Command("holdfast")
  .description("Keeps connections alive, and shows how.")
  .version(packageVersion());

await run(program, [demoCommand(), planCommand(), proxyCommand()]);
