/** Test certificates. */
export {
  type KeyPair,
  type LeafOptions,
  loopbackNames,
  type TestAuthority,
  testAuthority,
} from "./authority.ts";
