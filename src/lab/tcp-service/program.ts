/**
 * The TCP service as a program of its own, `node program.js <port> <journal>`: it can be killed and frozen like any
 * server, and acknowledges only what survives that.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { startTcpService } from "./service.ts";

const [port, journal] = process.argv.slice(2);
if (port === undefined || journal === undefined) throw new Error("usage: program.js <port> <journal>");

/** What the kernel took outlives the process; a sync to the disk would only be for the death of the machine. */
const disk = openSync(journal, "a");
process.on("exit", () => closeSync(disk));
await startTcpService({
  port: Number(port),
  afterApply(id) {
    writeSync(disk, `${id}\n`);
    return "ack";
  },
});
