#!/usr/bin/env node
/** The `holdfast` command: a short list; each command has a file of its own. */
import { Command } from "commander";
import { demoCommand } from "./demo.ts";
import { planCommand } from "./plan.ts";
import { proxyCommand } from "./proxy.ts";
import { run } from "./run.ts";
import { shellCommand } from "./shell.ts";
import { packageVersion } from "./version.ts";

const examples = `
Examples:
  holdfast demo                           watch live connections survive 30 seconds of faults
  holdfast plan node-redis                when would this client dial again?
  holdfast shell mariadb://root@db/shop   an SQL prompt that outlives its connection
  holdfast proxy --help                   put faults between your own client and server
  holdfast help demo                      all about one command`;

const program = new Command("holdfast")
  .description("Keeps network connections alive, and tells the truth about what happened to the work.")
  .version(packageVersion())
  .addHelpText("after", examples);

await run(program, [demoCommand(), planCommand(), proxyCommand(), shellCommand()]);
