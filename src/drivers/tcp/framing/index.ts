/** Framing of a byte stream: fixed length, delimiter, length field. */
export type { Deliver } from "./cutter.ts";
export { createFramer, type Framer, wholeChunks } from "./framer.ts";
export {
  type DelimiterFraming,
  type FixedLengthFraming,
  type Framing,
  type FramingSettings,
  type LengthCoding,
  type LengthFieldFraming,
  type NoFraming,
  readFraming,
} from "./settings.ts";
export {
  fromUnpackSetting,
  type UnpackCodingName,
  type UnpackModeName,
  type UnpackSetting,
} from "./unpack-setting.ts";
