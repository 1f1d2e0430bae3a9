/** What a server's -ERR means. The only place of this driver that reads a server's words. */
import { errors } from "@nats-io/transport-node";

/** Refused credentials: wrong, expired or revoked. */
export function isAuthError(error: unknown): error is Error {
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return true;
  // The library knows no class for this one.
  return error instanceof errors.ProtocolError && /authentication revoked/i.test(error.message);
}

const passing =
  /stale connection|maximum (account active )?connections exceeded|connection throttling is active|maximum subscriptions exceeded/i;

/** An -ERR that neither concerns one operation nor passes by itself: nats.go closes for good at such a one. */
export function isUnknownServerError(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError || isAuthError(error)) return false;
  return error instanceof errors.ProtocolError && !passing.test(error.message);
}

/** An -ERR that concerns one operation: the connection goes on. */
export function isOperationError(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof errors.ProtocolError && /maximum subscriptions exceeded/i.test(error.message);
}
