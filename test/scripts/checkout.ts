/** A checkout in miniature around copies of the real scripts, with a compiler that only counts its runs. */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { root } from "../house/source.ts";

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Checkout {
  readonly home: string;

  private constructor(home: string) {
    this.home = home;
  }

  static async make(t: TestContext): Promise<Checkout> {
    const checkout = new Checkout(await mkdtemp(join(tmpdir(), "holdfast-checkout-")));
    t.after(() => rm(checkout.home, { recursive: true, force: true }));
    await cp(join(root, "scripts"), join(checkout.home, "scripts"), { recursive: true });
    const lock = { packages: { "": {}, "node_modules/a": { version: "1.0.0" } } };
    await checkout.write("package.json", '{ "type": "module", "engines": { "node": ">=20.19" } }');
    await checkout.write("package-lock.json", JSON.stringify(lock));
    await checkout.write("node_modules/.package-lock.json", JSON.stringify(lock));
    for (const file of ["tsconfig.json", "tsconfig.build.json", "tsconfig.base.json", "src/a.ts"]) {
      await checkout.write(file, "");
    }
    await checkout.write("node_modules/@biomejs/biome/bin/biome", "");
    await checkout.write(
      "node_modules/typescript/bin/tsc",
      `const fs = require("node:fs");
      fs.appendFileSync("compiled", process.argv[3] + "\\n");
      for (const folder of ["dist", "build"]) fs.mkdirSync(folder, { recursive: true });
      fs.existsSync("broken") && process.exit(2);`,
    );
    return checkout;
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.home, file)), { recursive: true });
    await writeFile(join(this.home, file), text);
  }

  /** A compiled test, the source that it claims to come from, and a lab without servers. */
  async writeTest(name: string, text: string): Promise<void> {
    await this.write(`test/${name}.ts`, "");
    await this.write(`build/test/${name}.js`, text);
    await this.write("src/lab/index.ts", "");
    await this.write("build/src/lab/index.js", "export const serverNames = [];");
  }

  /** Which projects were compiled, in order. */
  async compiled(): Promise<string[]> {
    const text = await readFile(join(this.home, "compiled"), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  run(script: string, ...args: readonly string[]): Promise<Ended> {
    const env: NodeJS.ProcessEnv = { ...process.env, CI: "" };
    delete env.NODE_TEST_CONTEXT; // a runner inside a test must not take itself for a part of it
    delete env.npm_execpath;
    delete env.HOLDFAST_SERVERS;
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [join(this.home, "scripts", script), ...args], {
        cwd: this.home,
        env: { ...env, PATH: `${join(this.home, "bin")}:${env.PATH}` },
      });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("close", (status) => resolve({ status, stdout, stderr }));
    });
  }
}
