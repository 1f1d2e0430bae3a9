/** Room `cli`: the `holdfast` command. Its commands, for whoever embeds them. */
export { planCommand } from "./plan.ts";
export { proxyCommand } from "./proxy.ts";
