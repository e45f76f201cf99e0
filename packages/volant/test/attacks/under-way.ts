/**
 * What is still under way on real sockets between two ends in this process. Owns the count of it, by what each end's kernel handle has
 * written and read, so that virtual time can wait for the bytes themselves and never for time to pass.
 */
import type { Socket } from "node:net";

/** Turns of the event loop in which nothing may move: what was read is handled, and answered, within them. */
const STILL_TURNS = 12;
/** The same where bytes lie unread: their reader has paused. */
const STUCK_TURNS = 100;
/** A stream without end never comes to rest. */
const MAX_TURNS = 5_000;

/** A socket of the system, below TLS. Node's counters of it are no public API. */
interface SystemHandle {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
}

export class SocketLink {
  private readonly near: Socket;
  private readonly nearHandle: SystemHandle | undefined;
  private far: { readonly socket: Socket; readonly handle: SystemHandle } | undefined;

  /** Both are plain sockets, before anything is laid over them. */
  constructor(near: Socket) {
    this.near = near;
    this.nearHandle = handleOf(near);
  }

  get port(): number | undefined {
    return this.near.localPort;
  }

  joinFar(socket: Socket): void {
    this.far = { socket, handle: handleOf(socket) };
  }

  get isOver(): boolean {
    return this.near.destroyed && this.far?.socket.destroyed !== false;
  }

  /** Changes with every byte, and with every end. */
  get mark(): string {
    const { near, far } = this;
    return [
      near.connecting,
      near.destroyed,
      far?.socket.destroyed,
      ...counts(this.nearHandle),
      ...counts(far?.handle),
    ].join();
  }

  get isUnderWay(): boolean {
    const { near, far } = this;
    if (near.destroyed || far === undefined || far.socket.destroyed) return !this.isOver;
    const [nearRead, nearWritten] = counts(this.nearHandle);
    const [farRead, farWritten] = counts(far.handle);
    return near.connecting || nearWritten !== farRead || farWritten !== nearRead;
  }
}

function handleOf(socket: Socket): SystemHandle {
  return (socket as unknown as { readonly _handle: SystemHandle })._handle;
}

function counts(handle: SystemHandle | undefined): [number, number] {
  return [handle?.bytesRead ?? 0, handle?.bytesWritten ?? 0];
}

const links = new Set<SocketLink>();

export function addLink(link: SocketLink): void {
  links.add(link);
}

export function removeLink(link: SocketLink): void {
  links.delete(link);
}

/** Waits until everything that was sent has been read and answered, or lies where its reader leaves it. At once without sockets. */
export async function untilArrived(): Promise<void> {
  if (links.size === 0) return;
  let mark = "";
  for (let turn = 0, still = 0; turn < MAX_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const [now, isUnderWay] = look();
    still = now === mark ? still + 1 : 0;
    mark = now;
    if (still >= (isUnderWay ? STUCK_TURNS : STILL_TURNS)) return;
  }
}

function look(): [mark: string, isUnderWay: boolean] {
  const marks: string[] = [];
  let isUnderWay = false;
  for (const link of links) {
    if (link.isOver) continue;
    marks.push(link.mark);
    isUnderWay ||= link.isUnderWay;
  }
  return [marks.join(";"), isUnderWay];
}
