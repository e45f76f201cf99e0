/**
 * Somebody between a TLS client and its server who cannot read, but breaks what passes: a loopback proxy that cuts both directions
 * into TLS records (RFC 8446 §5.1) and hands the next one to the test before it goes on. Owns its sockets.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** What happens to the next record of that sender; the result goes on instead of it. */
export type Tampering = (record: Buffer, path: TamperedPath) => Buffer;
export type Sender = "client" | "server";

const RECORD_HEADER_BYTES = 5;

/** One direction of one connection. */
export class TamperedPath {
  readonly from: Socket;
  readonly to: Socket;
  /** Acts once, on the next record. */
  tampering: Tampering | undefined;
  /** Nothing passes any more. */
  isBlocked = false;
  private held: Buffer = Buffer.alloc(0);

  constructor(from: Socket, to: Socket) {
    this.from = from;
    this.to = to;
    from.on("data", (bytes: Buffer) => this.receive(bytes));
    from.on("end", () => to.end());
    from.on("error", () => from.destroy());
    from.on("close", () => to.destroy());
  }

  private receive(bytes: Buffer): void {
    if (this.isBlocked) return;
    this.held = Buffer.concat([this.held, bytes]);
    for (let record = this.takeRecord(); record !== undefined; record = this.takeRecord()) {
      const { tampering } = this;
      this.tampering = undefined;
      const passed = tampering === undefined ? record : tampering(record, this);
      if (passed.length > 0 && !this.to.destroyed) this.to.write(passed);
    }
  }

  private takeRecord(): Buffer | undefined {
    if (this.held.length < RECORD_HEADER_BYTES) return undefined;
    const length = RECORD_HEADER_BYTES + this.held.readUInt16BE(3);
    if (this.held.length < length) return undefined;
    const record = Buffer.from(this.held.subarray(0, length));
    this.held = this.held.subarray(length);
    return record;
  }
}

export class TamperingProxy {
  private readonly server: Server;
  private readonly paths: Record<Sender, TamperedPath>[] = [];

  private constructor(server: Server) {
    this.server = server;
  }

  /** Closed at the end of the test. */
  static async listen(t: TestContext, port: number): Promise<TamperingProxy> {
    const server = createServer((client) => {
      const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
      proxy.paths.push({ client: new TamperedPath(client, upstream), server: new TamperedPath(upstream, client) });
    });
    const proxy = new TamperingProxy(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      for (const { client, server: upstream } of proxy.paths) {
        client.from.destroy();
        upstream.from.destroy();
      }
      server.close();
    });
    return proxy;
  }

  get target(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Connections so far. */
  get count(): number {
    return this.paths.length;
  }

  /**
   * What becomes of the next record that this side of the last connection sends. From that moment on nothing comes back to it, not
   * even the alert with which the other side answers: whoever notices the fault does so alone. `keepsBack` lets that pass.
   */
  tamper(sender: Sender, tampering: Tampering, { keepsBack = false } = {}): void {
    const { client, server } = this.paths.at(-1)!;
    const [path, back] = sender === "client" ? [client, server] : [server, client];
    path.tampering = (record) => {
      back.isBlocked = !keepsBack;
      return tampering(record, path);
    };
  }
}
