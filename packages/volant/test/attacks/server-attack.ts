/**
 * What an attack on a whole server is here: as in `attack.ts`, but above the core, in virtual time, and over memory or whatever
 * `overWire` says. Owns the victim, a server of the lab's service whose handlers do as the attack needs; knows no attack.
 */
import { Server, type ServerOptions } from "../../src/index.ts";
import type { ServerLimit } from "../../src/server/server-options.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, type LabHandlers } from "../server/support/lab-service.ts";
import { ATTACK_WIRES, type AttackWire, wireInUse } from "./attack-wire.ts";
import { SocketDoor } from "./socket-door.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface ServerAttack {
  readonly name: string;
  readonly cve: string;
  /** What the server does about it, in one line. */
  readonly rule: string;
  /** The options that set the limit, with their defaults where they are no plain numbers. */
  readonly options: readonly (ServerLimit | `${string} ${string}`)[];
  /** Its key in `stats().faults`. */
  readonly counter: string;
  /** What the attacker wants. */
  readonly unit: string;
  /** How much of that it may get. */
  readonly allowed: number;
  /** Values that switch the defence off. */
  readonly off: ServerOptions;
  /** How much the attacker got, and how often the defence counted it. */
  readonly play: (options: ServerOptions) => Promise<ServerOutcome>;
  readonly honest: {
    readonly name: string;
    readonly play: () => Promise<void>;
    /** The only wires over which it says something. Default: all. */
    readonly wires?: readonly AttackWire[];
  };
  /** It makes hundreds of connections: over sockets the conformance suite plays it, and the tests do not. */
  readonly isLongOverSockets?: true;
}

export function isHonestOver({ honest: { wires = ATTACK_WIRES } }: ServerAttack, wire: AttackWire): boolean {
  return wires.includes(wire);
}

export interface ServerOutcome {
  readonly got: number;
  readonly counted: number;
}

export interface ServerScene {
  readonly server: Server;
  readonly time: VirtualTime;
  /** What was given to `onError`. */
  readonly errors: unknown[];
}

/** A server on virtual time, closed at the end. `release` lets handlers that still run finish. */
export function scene<T>(
  options: ServerOptions,
  handlers: Partial<LabHandlers>,
  act: (scene: ServerScene) => Promise<T>,
  release: () => void = () => undefined,
): Promise<T> {
  return VirtualTime.run(async (time) => {
    const errors: unknown[] = [];
    const server = new Server({ onError: (error) => errors.push(error), ...options });
    server.add(Lab, { ...echo, ...handlers });
    const wire = wireInUse();
    const door = wire === "memory" ? undefined : await SocketDoor.open(server, wire);
    try {
      return await act({ server, time, errors });
    } finally {
      release();
      try {
        await closeIn(time, server);
      } finally {
        door?.close();
      }
    }
  });
}

/** Throws unless nobody was blamed for anything but what is harmless. */
export function assertUnhurt(server: Server, ...harmless: readonly string[]): void {
  const blamed = Object.entries(server.stats().faults).filter(([cause]) => !harmless.includes(cause));
  if (blamed.length > 0) throw new Error(`an honest peer was blamed for ${blamed.join(" ")}`);
}

/** Longer than the end of a connection and what a handler does on its signal. */
const CLOSE_MS = 10_000;

async function closeIn(time: VirtualTime, server: Server): Promise<void> {
  let isClosed = false;
  const closing = server.close().then(() => {
    isClosed = true;
  });
  await time.secondsUntil(() => isClosed && server.handlerCount === 0, CLOSE_MS / 1_000);
  if (!isClosed) throw new Error(`${server.connectionCount} connections never closed`);
  if (server.handlerCount > 0) throw new Error(`${server.handlerCount} handlers never finished`);
  await closing;
}
