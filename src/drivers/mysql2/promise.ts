/** `holdfast/mysql2/promise`: change one import; see `promise-entry.ts`. */
import * as entry from "./promise-entry.ts";

export * from "./promise-entry.ts";
// What `require` gives. From Node.js 23 on a star brings along the library's own, and `require` would give that.
export { entry as "module.exports" };
