/**
 * Turns over real sockets: what one address has waiting, and what another waits for. Counted in pieces; what a piece takes is
 * virtual time.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Authority } from "../../test/tls/support/certificates.ts";
import { eventually } from "../testing/use-server.ts";
import { SocketWire } from "./socket-wire.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { resolveServerTls } from "./tls-server-options.ts";
import type { WireSink } from "./wire.ts";

const ATTACKERS = 8;
const FLOOD_BYTES = 300_000;
/** A short turn has three of these, and two that waited. */
const PIECE_MS = 1.1;
/** Of some 9,000: those of a few turns, which it takes from one end of a socket to the other. As sockets come it is thousands. */
const MOST_PIECES = 100;

/** For the whole file: it never goes back. */
let nowMs = performance.now();
performance.now = () => nowMs;

/** A server whose every piece takes long, in the order in which they come. */
class SlowServer {
  readonly pieces: { readonly from: string; readonly bytes: number }[] = [];
  port = 0;
  private readonly authority = new Authority();
  private readonly t: TestContext;
  private readonly wires: SocketWire[] = [];

  constructor(t: TestContext) {
    this.t = t;
  }

  async open(): Promise<this> {
    const accept = (socket: Socket): void => {
      const wire: SocketWire = new SocketWire(
        socket,
        this.sinkOf(() => wire.peer.address),
      );
    };
    const acceptor = new TlsAcceptor(resolveServerTls(this.authority.issue()), undefined, {
      onSecure: accept,
      onFailed: (error) => this.t.diagnostic(String(error)),
    });
    const server = createServer((socket) => acceptor.handle(socket));
    this.t.after(() => {
      for (const wire of this.wires) wire.destroy();
      acceptor.close();
      server.close();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    this.port = (server.address() as { port: number }).port;
    return this;
  }

  async connect(localAddress: string): Promise<Socket> {
    const below = connect({ port: this.port, host: "127.0.0.1", localAddress, noDelay: true });
    const socket = connectTls({
      socket: below,
      ca: this.authority.cert,
      servername: "localhost",
      ALPNProtocols: ["h2"],
    });
    this.t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  }

  private sinkOf(address: () => string): WireSink {
    return {
      onChunk: (bytes) => {
        this.pieces.push({ from: address(), bytes: bytes.length });
        nowMs += PIECE_MS;
      },
      onEnd: () => undefined,
      onClosed: () => undefined,
    };
  }
}

/** Pieces of others between a byte of the victim and its own piece, the most of ten. */
async function longestWait(server: SlowServer, attackersFrom: string): Promise<number> {
  const victim = await server.connect("127.0.0.1");
  const attackers = await Promise.all(Array.from({ length: ATTACKERS }, () => server.connect(attackersFrom)));
  const from = `127.0.0.1:${victim.localPort}`;
  const countMine = (): number => server.pieces.filter((piece) => piece.from === from).length;
  for (const attacker of attackers) attacker.write(Buffer.alloc(FLOOD_BYTES));
  await eventually("the flood to be read", () => server.pieces.length > ATTACKERS);
  let longest = 0;
  for (let round = 0; round < 10; round++) {
    const before = server.pieces.length;
    victim.write("x");
    await eventually("the victim's turn", () => countMine() > round);
    const at = server.pieces.findLastIndex((piece) => piece.from === from);
    longest = Math.max(longest, at - before);
  }
  return longest;
}

for (const attackersFrom of ["127.0.0.2", "127.0.0.1"]) {
  test(`TLS: eight busy connections from ${attackersFrom} keep one from 127.0.0.1 waiting for a few of their pieces`, async (t) => {
    const server = await new SlowServer(t).open();
    const longest = await longestWait(server, attackersFrom);
    assert.ok(longest <= MOST_PIECES, `${longest} pieces of others, ${MOST_PIECES} are allowed`);
  });
}
