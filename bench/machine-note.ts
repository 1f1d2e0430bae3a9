/** On what machine, with what versions: no figure means anything without it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";

export interface MachineNote {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  /** Runnable tasks, mean of the last minute: above `cores` somebody else is working too. */
  readonly loadAverage: number;
  readonly date: string;
  readonly packages: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);

function versionOf(name: string): string {
  const entry = require.resolve(name);
  const root = entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
  return (JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }).version;
}

function versionsOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]));
}

export function machineNote(): MachineNote {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    date: new Date().toISOString().slice(0, 10),
    packages: versionsOf(["redis", "ioredis", "@nats-io/transport-node"]),
  };
}

export function machineLine(note: MachineNote): string {
  const packages = Object.entries(note.packages).map(([name, version]) => `${name} ${version}`);
  return (
    `${note.cpu}, ${note.cores} cores, ${note.memoryGB} GB, ${note.system}, Node.js ${note.node}, ` +
    `${packages.join(", ")}; load average at the start ${note.loadAverage}; ${note.date}`
  );
}
