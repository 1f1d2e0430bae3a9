import type { Ending, FaultHandle, FaultProxy } from "../lab/index.ts";
import { oneOf, optionError } from "../options/index.ts";
import { parseFault } from "./proxy-fault.ts";
import { connectionLine } from "./proxy-text.ts";

const ending = oneOf(["rst", "fin"]);

export const ordersHelp = `
Orders, one a line on standard input, while it runs:
  fault KIND[:key=value,…]   put a fault in force
  undo LABEL                 undo it (the label is shown when it starts); "undo" alone undoes all
  cut rst|fin [NUMBER]       end live connections, or one
  connections                list the live ones
  upstream HOST:PORT         where new connections go
  quit`;

/** Carries out the orders that the user types. Returns what there is to say, or `"quit"`. */
export class Orders {
  readonly #proxy: FaultProxy;
  readonly #handles = new Map<string, FaultHandle>();

  constructor(proxy: FaultProxy) {
    this.#proxy = proxy;
  }

  async fault(text: string): Promise<void> {
    const handle = await this.#proxy.fault(parseFault(text));
    this.#handles.set(handle.label, handle);
    handle.undone.finally(() => this.#handles.delete(handle.label)).catch(() => {});
  }

  async obey(line: string): Promise<string | undefined> {
    const [order = "", ...rest] = line.trim().split(/\s+/);
    switch (order) {
      case "":
        return undefined;
      case "quit":
        return "quit";
      case "fault":
        await this.fault(rest.join(" "));
        return undefined;
      case "undo":
        return await this.#undo(rest.join(" "));
      case "cut":
        return this.#cut(rest);
      case "connections":
        return this.#proxy.connections().map(connectionLine).join("\n") || "no connections";
      case "upstream":
        this.#proxy.upstream = parseUpstream(rest.join(" "));
        return undefined;
      default:
        return `unknown order "${order}"${ordersHelp}`;
    }
  }

  async #undo(label: string): Promise<string | undefined> {
    if (label === "") await this.#proxy.clear();
    else if (this.#handles.has(label)) await this.#handles.get(label)?.undo();
    else
      return `no fault "${label}" is in force; there are: ${[...this.#handles.keys()].join(", ") || "none"}`;
    return undefined;
  }

  #cut([how = "rst", number]: readonly string[]): string {
    const wanted: Ending = ending.read(how, "cut");
    const cut = this.#proxy.cut(wanted, number === undefined ? {} : { connections: Number(number) });
    return `${cut} cut`;
  }
}

/** `host:port`, `[v6]:port`, or a port of this machine. */
export function parseUpstream(text: string): { host: string; port: number } {
  const [, v6, name, port] = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined) throw optionError("upstream", text, '"host:port", "[v6]:port" or a port');
  return { host: v6 ?? (name || "127.0.0.1"), port: Number(port) };
}
