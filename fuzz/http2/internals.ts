/**
 * What the invariants need to see of a connection and its public face does not show. Owns every look at a private field,
 * so that a change of the core is met in one place.
 */
import type { ConnectionParts } from "../../packages/volant/src/http2/connection-parts.ts";
import type { ReceiveWindow } from "../../packages/volant/src/http2/flow-window.ts";
import type { Http2Connection } from "../../packages/volant/src/http2/index.ts";

/** RFC 9113 §6.9 as `flow-window.ts` keeps it: open + held + returned = target + granted + excess. */
export interface Ledger {
  readonly open: number;
  readonly held: number;
  readonly target: number;
  readonly returned: number;
  readonly granted: number;
  readonly excess: number;
}

export function partsOf(connection: Http2Connection): ConnectionParts {
  return (connection as unknown as { readonly parts: ConnectionParts }).parts;
}

export function ledgerOf(window: ReceiveWindow): Ledger {
  return window as unknown as Ledger;
}

/** Octets of a frame or of a header block that are not complete. */
export function keptOctets(connection: Http2Connection): { readonly frame: number; readonly block: number } {
  const { reader } = connection as unknown as { readonly reader: { readonly partial: Buffer | undefined } };
  return { frame: reader.partial?.length ?? 0, block: headersOf(connection).block.bytes?.length ?? 0 };
}

/** What the windows of streams grow to. */
export function grownStreamWindow(connection: Http2Connection): number {
  const { receiver } = connection as unknown as {
    readonly receiver: { readonly growth: { readonly streamWindowBytes: number } };
  };
  return receiver.growth.streamWindowBytes;
}

/** False while a CONTINUATION must come next. */
export function isBetweenBlocks(connection: Http2Connection): boolean {
  return !headersOf(connection).isBlockOpen;
}

interface Headers {
  readonly isBlockOpen: boolean;
  readonly block: { readonly bytes: Buffer | undefined };
}

function headersOf(connection: Http2Connection): Headers {
  return (connection as unknown as { readonly receiver: { readonly headers: Headers } }).receiver.headers;
}
