/** A YAML file with a `redis:` block of redis-py keyword arguments; other blocks belong to other systems. */
import { parseDocument } from "yaml";
import { HoldfastError } from "../../../call/index.ts";
import { didYouMean } from "../../../options/index.ts";
import type { RedisOptions } from "../options.ts";
import { fromRedisPy, type RedisPyOptions } from "./redis-py.ts";

/** Translates the `redis:` block of a YAML text. Throws `HF_OPTION`; no message quotes the text, which holds secrets. */
export function fromRedisPyYaml(text: string, options: RedisPyOptions = {}): RedisOptions {
  const root = parse(text);
  if (!isMapping(root) || !Object.hasOwn(root, "redis")) {
    const near = isMapping(root) ? didYouMean("redis", Object.keys(root)) : "";
    throw yamlError(`it has no "redis:" block${near}`);
  }
  const block = (root as { redis: unknown }).redis;
  if (!isMapping(block)) throw yamlError('its "redis:" block must be a mapping of option names to values');
  return fromRedisPy(block, { path: "redis", ...options });
}

function parse(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The parser's own message quotes the line it failed at, password and all: code and place only.
    const at = problem.linePos?.[0];
    throw yamlError(`${problem.code}${at === undefined ? "" : ` at line ${at.line}, column ${at.col}`}`);
  }
  try {
    return document.toJS();
  } catch {
    throw yamlError("its aliases can't be resolved");
  }
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function yamlError(why: string): HoldfastError {
  return new HoldfastError("HF_OPTION", `the YAML text is not usable: ${why}`, { details: { key: "yaml" } });
}
