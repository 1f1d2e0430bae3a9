/** `holdfast/mysql2`: change one import; see `entry.ts`. */
import * as entry from "./entry.ts";

export * from "./entry.ts";
// What `require` gives. From Node.js 23 on a star brings along the library's own, and `require` would give that.
export { entry as "module.exports" };
