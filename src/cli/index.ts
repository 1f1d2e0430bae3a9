/** Room `cli`: the `holdfast` command. Its commands, for whoever embeds them. */
export { demoCommand } from "./demo.ts";
export { planCommand } from "./plan.ts";
export { proxyCommand } from "./proxy.ts";
export { shellCommand } from "./shell.ts";
