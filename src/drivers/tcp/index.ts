/** Room `drivers/tcp` (`holdfast/tcp`): TCP and TLS connections that are kept. The peer is libhv's TcpClient. */
export { Channel, type HeartbeatReply, type TcpData } from "./channel.ts";
export { createTcpClient, type SendOptions, TcpClient } from "./client.ts";
export { type DialPlan, dialSocket } from "./dial.ts";
export {
  createFramer,
  type DelimiterFraming,
  type Deliver,
  type FixedLengthFraming,
  type Framer,
  type Framing,
  type FramingSettings,
  fromUnpackSetting,
  type LengthCoding,
  type LengthFieldFraming,
  type NoFraming,
  readFraming,
  type UnpackCodingName,
  type UnpackModeName,
  type UnpackSetting,
} from "./framing/index.ts";
export type { HeartbeatPayload, HeartbeatSettings } from "./heartbeat.ts";
export type { TcpClientOptions, TcpEndpoint } from "./options.ts";
export type { CamelReconnectSetting, GivenReconnectSetting } from "./policy.ts";
export type { ReconnectSetting } from "./reconnect-setting.ts";
export type { HostAddress, Lookup } from "./resolve.ts";
export type { SocketPlan, TlsSettings } from "./socket.ts";
