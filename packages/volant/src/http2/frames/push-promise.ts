/**
 * PUSH_PROMISE: never sent, never accepted. RFC 9113 §6.6, §8.4: a client that announced ENABLE_PUSH 0, and any server,
 * treats it as a connection error.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";

export const PUSH_PROMISE_RECEIVED: Fault = connectionFault(ErrorCode.PROTOCOL_ERROR, "push-promise-received");
