/** Room `governor`: permits to dial, shared by all links of the process. */
export { Governor, type GovernorOptions, governorDefaults, processGovernor } from "./governor.ts";
