/** Generations of go-redis whose defaults differ: v8, v9 up to 9.21, and 9.22 on. */
export type GoRedisVersion = "8" | "9" | "9.22";

/** One of go-redis' own settings: a value, `"off"` (its −1), or absent for the version's default (its 0). */
export type Setting = number | "off" | undefined;
