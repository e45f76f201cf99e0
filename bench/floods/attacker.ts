// Owns: one attack on a server of this machine: `attacker.ts PORT SECONDS FLOOD [STYLE [TRANSPORT]]`. A few connections send as fast
// as they are read, or patiently what no limit forbids; each connection that ends, or that the server stops reading, is replaced at once. It reads
// what the server sends: answers that pile up would hold it back. Prints `attacking` when it begins, what it did as a line of JSON in
// the end, and ends by itself.
// Invariant: loopback only, one thread, one core, a limited time.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { TRANSPORTS, type Transport } from "../lib/transport.ts";
import { createFlood, FLOODS, type FloodName } from "./flood-frames.ts";
import { createPatientFlood } from "./patient-frames.ts";
import { ATTACK_STYLES, type AttackReport, type AttackStyle } from "./protocol.ts";

const LANES = 4;
/** A connection that the server has stopped reading for so long is given up for a new one. */
const STALLED_MS = 250;
/** A connection that was refused is tried again, and not so fast that refusing becomes the attack. */
const RETRY_MS = 5;

const [port, seconds, name] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] as FloodName];
const style = (process.argv[5] ?? "reckless") as AttackStyle;
const transport = (process.argv[6] ?? "cleartext") as Transport;
if (
  !(port > 0) ||
  !(seconds > 0 && seconds <= 60) ||
  !FLOODS.includes(name) ||
  !ATTACK_STYLES.includes(style) ||
  !TRANSPORTS.includes(transport)
) {
  const floods = FLOODS.map((flood) => `"${flood}"`).join("|");
  throw new Error(
    `usage: attacker.ts PORT SECONDS(at most 60) ${floods} [${ATTACK_STYLES.join("|")} [${TRANSPORTS.join("|")}]]`,
  );
}

const flood = style === "patient" ? createPatientFlood(name) : createFlood(name);
console.log("attacking");
const endsAt = performance.now() + seconds * 1_000;
const report = { connections: 0, frames: 0, bytes: 0, stalled: 0, ended: 0 };

await Promise.all(Array.from({ length: LANES }, attackUntilTheEnd));
console.log(JSON.stringify(report satisfies AttackReport));

async function attackUntilTheEnd(): Promise<void> {
  while (performance.now() < endsAt) {
    const wasConnected = await attackOnce();
    if (!wasConnected) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** One connection, from connect to its end. False: there was none. */
function attackOnce(): Promise<boolean> {
  const socket = dial();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let isConnected = false;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    socket.destroy();
  };
  const whole = setTimeout(end, Math.max(0, endsAt - performance.now()));
  // Who waits between two bodies is silent, and not stalled.
  socket.setTimeout(STALLED_MS + flood.intervalMs, () => {
    report.stalled++;
    end();
  });
  socket.once(transport === "tls" ? "secureConnect" : "connect", () => {
    isConnected = true;
    report.connections++;
    socket.resume();
    socket.write(flood.opening);
    sendBodies(socket, () => isOver, end);
  });
  // The server ends a connection in order or resets it, some both; "close" follows.
  const onEnded = (): void => {
    if (!isOver) report.ended++;
    end();
  };
  socket.on("error", onEnded);
  socket.on("end", onEnded);
  socket.once("close", () => {
    isOver = true;
    clearTimeout(whole);
    resolve(isConnected);
  });
  return promise;
}

function dial(): Socket {
  const where = { port, host: "127.0.0.1", noDelay: true };
  // Whom it attacks it does not check.
  return transport === "tls"
    ? connectTls({ ...where, ALPNProtocols: ["h2"], rejectUnauthorized: false })
    : connect(where);
}

function sendBodies(socket: Socket, isOver: () => boolean, end: () => void): void {
  const nextBody = flood.createBodies();
  let underWay = 0;
  const send = (): void => {
    if (isOver()) return;
    const body = nextBody();
    if (body === undefined) {
      if (underWay === 0) end();
      return;
    }
    const dueAt = performance.now() + flood.intervalMs;
    underWay++;
    socket.write(body, (error) => {
      if (error) return;
      underWay--;
      report.frames += flood.framesInBody;
      report.bytes += body.length;
      if (flood.intervalMs === 0) send();
      else setTimeout(send, Math.max(0, dueAt - performance.now()));
    });
  };
  // Two under way, so that the socket never runs dry between them.
  send();
  if (flood.intervalMs === 0) send();
}
