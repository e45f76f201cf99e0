/**
 * A server with TLS, sockets and channels that reach it, all closed at the end of the test. Owns the proof that the server
 * reported exactly the errors that the test expects.
 */
import assert from "node:assert/strict";
import { connect as connectPlain, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { type ChannelOptions, Server, type ServerOptions, type ServerTlsOptions } from "volant";
import { eventually } from "../../../src/testing/index.ts";
import { type EchoHandlers, EchoService, echoHandlers } from "../../client/support/echo-service.ts";
import { type Fixture, openChannel } from "../../client/support/harness.ts";
import { Authority } from "./certificates.ts";

/** Made once for each file that asks for it. */
export const authority: Authority = new Authority();
export const localhost: { readonly cert: string; readonly key: string } = authority.issue();

export class TlsLab {
  readonly server: Server;
  port = 0;
  /** A client that refuses the server's certificate may be gone before the server's half of the handshake is over. */
  clientsMayLeave = false;
  private readonly t: TestContext;
  private errors: Error[] = [];

  private constructor(t: TestContext, handlers: Partial<EchoHandlers>, options: ServerOptions) {
    this.t = t;
    this.server = new Server({ onError: (error) => this.errors.push(error as Error), ...options });
    this.server.add(EchoService, { ...echoHandlers, ...handlers });
  }

  static async open(
    t: TestContext,
    tls: ServerTlsOptions = localhost,
    handlers: Partial<EchoHandlers> = {},
    options: ServerOptions = {},
  ): Promise<TlsLab> {
    const lab = new TlsLab(t, handlers, options);
    t.after(async () => {
      await lab.server.close();
      const isLeaving = ({ message }: Error) =>
        lab.clientsMayLeave && message.includes("the client closed the connection");
      assert.deepEqual(
        lab.errors.filter((error) => !isLeaving(error)),
        [],
        "errors that the test does not expect",
      );
    });
    ({ port: lab.port } = await lab.server.listen({ port: 0, host: "127.0.0.1", tls }));
    return lab;
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  channel(tls: ChannelOptions["tls"] = { ca: authority.cert }, options: ChannelOptions = {}): Fixture {
    return openChannel(this.t, this.target, { ...options, ...(tls === undefined ? {} : { tls }) });
  }

  /** A socket without TLS. */
  plain(): RawSocket {
    return new RawSocket(this.t, connectPlain(this.port, "127.0.0.1"));
  }

  /** A client of Node's own. */
  secure(options: ConnectionOptions = {}): RawSocket<TLSSocket> {
    const all = { port: this.port, host: "127.0.0.1", ca: authority.cert, ...options };
    return new RawSocket(this.t, connect(all));
  }

  /** What was reported so far and not taken. */
  takeErrors(): Error[] {
    const taken = this.errors;
    this.errors = [];
    return taken;
  }

  /** The next report, which must be the only one. */
  async reported(): Promise<Error> {
    await eventually("an error to be reported", () => this.errors.length > 0);
    const [error, ...more] = this.takeErrors();
    assert.deepEqual(more, []);
    return error!;
  }
}

/** Records what a socket goes through. */
export class RawSocket<Kind extends Socket = Socket> {
  readonly socket: Kind;
  received = "";
  error: NodeJS.ErrnoException | undefined;
  isClosed = false;

  constructor(t: TestContext, socket: Kind) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("close", () => {
      this.isClosed = true;
    });
    t.after(() => socket.destroy());
  }

  closed(): Promise<void> {
    return eventually("the server to close the socket", () => this.isClosed);
  }
}
