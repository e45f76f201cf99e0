/**
 * Where in the caller's code a failed call was awaited. Buys: an error whose stack names the caller's functions, at no
 * cost to calls that succeed; frames of the socket's event, which is where the error is made, would help nobody.
 *
 * V8 follows the promises that wait for the one that is being handled. So the failure takes a detour through a promise
 * that the caller's already follows, and the stack is read there. The reader of a stream
 * awaits the next message, and is found the same way. Without `await` there is nothing to follow, and the error has no frames.
 */
import { RpcError, recaptureStack } from "../rpc/rpc-error.ts";

/** Settles a promise by its `resolve`, so that it rejects with `error`. */
export function rejectForCaller(resolve: (value: Promise<never>) => void, error: unknown): void {
  // The first step gives the caller's promise its turn to follow before the stack is read in the second.
  resolve(Promise.reject(error).catch(rethrow).catch(rethrowWithStack));
}

function rethrow(error: unknown): never {
  throw error;
}

function rethrowWithStack(error: unknown): never {
  // An error of the application has the stack of where it was made.
  if (error instanceof RpcError && error.origin === "client") recaptureStack(error, rethrowWithStack);
  throw error;
}
