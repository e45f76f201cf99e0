/** TLS that breaks in the middle of calls: a record that cannot be read, an alert, an end without a word. Both roles notice at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import tls from "node:tls";
import { type Channel, StatusCode } from "volant";
import { eventually } from "../../src/testing/index.ts";
import { type EchoClient, failure, openChannel } from "../client/support/harness.ts";
import { type Sender, type TamperedPath, type Tampering, TamperingProxy } from "./support/tampering-proxy.ts";
import { authority, localhost, TlsLab } from "./support/tls-lab.ts";

const APPLICATION_DATA = 23;
const ALERT = 21;
const NOTHING = Buffer.alloc(0);

function record(type: number, body: Buffer, declared: number = body.length): Buffer {
  return Buffer.concat([Buffer.of(type, 3, 3, declared >> 8, declared & 0xff), body]);
}

interface Breakage {
  readonly act: Tampering;
  /** It is a fault of TLS, and no ordinary end of the socket. */
  readonly isFault: boolean;
}

const fault = (act: Tampering): Breakage => ({ act, isFault: true });
const end = (act: (record: Buffer, path: TamperedPath) => void): Breakage => ({
  act: (bytes, path) => {
    act(bytes, path);
    return NOTHING;
  },
  isFault: false,
});

const BREAKAGES: Readonly<Record<string, Breakage>> = {
  "a flipped bit": fault((bytes) => {
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  }),
  "a record that is repeated": fault((bytes) => Buffer.concat([bytes, bytes])),
  "an answer of HTTP/1.1 in cleartext": fault(() => Buffer.from("HTTP/1.1 502 Bad Gateway\r\n\r\n")),
  zeros: fault(() => Buffer.alloc(64)),
  "a record that says it is oversized": fault(() => record(APPLICATION_DATA, Buffer.alloc(1_000), 0xffff)),
  "a record without anything in it": fault(() => record(APPLICATION_DATA, NOTHING)),
  "a fatal alert in cleartext": fault(() => record(ALERT, Buffer.of(2, 20))),
  "half a record and the end": end((bytes, { to }) => to.end(bytes.subarray(0, 20))),
  "an end without close_notify": end((_, { to }) => to.end()),
  "a reset": end((_, { to }) => to.resetAndDestroy()),
};

/** Words of OpenSSL that belong to nobody's status. */
const LIBRARY_TEXT = /:error:|openssl|\.c:|[0-9A-F]{8}/;

type Version = "TLSv1.2" | "TLSv1.3";

/** What both sides would choose by themselves is the newest; this takes effect where an option does not say otherwise. */
function speakAtMost(t: TestContext, version: Version): void {
  const before = tls.DEFAULT_MAX_VERSION;
  tls.DEFAULT_MAX_VERSION = version;
  t.after(() => {
    tls.DEFAULT_MAX_VERSION = before;
  });
}

class Scene {
  readonly lab: TlsLab;
  readonly proxy: TamperingProxy;
  readonly client: EchoClient;
  readonly channel: Channel;
  /** The call that waits when the connection breaks. */
  readonly waiting: Promise<unknown>;
  /** Why its handler was told to stop. */
  aborted = "";

  private constructor(t: TestContext, lab: TlsLab, proxy: TamperingProxy) {
    this.lab = lab;
    this.proxy = proxy;
    const { client, channel } = openChannel(t, proxy.target, { tls: { ca: authority.cert } });
    this.client = client;
    this.channel = channel;
    // The deadline is there to fail a test that waits for it.
    this.waiting = client.unary({ value: "wait" }, { timeoutMs: 60_000 });
    this.waiting.catch(() => undefined);
  }

  static async open(t: TestContext, version: Version): Promise<Scene> {
    speakAtMost(t, version);
    const versions: (string | undefined)[] = [];
    const lab = await TlsLab.open(t, localhost, {
      async unary(request, call) {
        versions.push(call.peer.tls?.protocol);
        if (request.value !== "wait") return request;
        await once(call.signal, "abort");
        scene.aborted = String((call.signal.reason as Error).message);
        return request;
      },
    });
    const scene = new Scene(t, lab, await TamperingProxy.listen(t, lab.port));
    await eventually("the call to run", () => lab.server.handlerCount === 1);
    assert.deepEqual(versions, [version]);
    return scene;
  }

  /** Breaks the next record that this side sends, and makes it send one. */
  break(sender: Sender, act: Tampering, keepsBack = false): Promise<unknown> {
    this.proxy.tamper(sender, act, { keepsBack });
    const call = this.client.unary({ value: "next" }, { timeoutMs: 60_000 });
    call.catch(() => undefined);
    return call;
  }
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const [what, { act, isFault }] of Object.entries(BREAKAGES)) {
    test(`${version}: ${what} from the server ends the client's calls at once, and the next call has a new connection`, async (t) => {
      const scene = await Scene.open(t, version);
      const { channel, client, proxy } = scene;
      void scene.break("server", act);
      const { message } = await failure(scene.waiting, StatusCode.UNAVAILABLE);
      assert.match(message, isFault ? /the connection broke: TLS: what the server sent/ : /the server (closed|reset)/);
      assert.doesNotMatch(message, LIBRARY_TEXT);
      assert.notEqual(channel.state, "READY");
      assert.equal((await client.unary({ value: "again" })).value, "again");
      assert.equal(proxy.count, 2);
      assert.deepEqual(channel.stats().faults, isFault ? { "tls-broken": 1 } : {});
    });

    test(`${version}: ${what} from the client cancels its calls on the server at once, and the connection is gone`, async (t) => {
      const scene = await Scene.open(t, version);
      const { server } = scene.lab;
      void scene.break("client", act);
      await eventually("the handler to be told", () => scene.aborted !== "");
      assert.match(
        scene.aborted,
        isFault ? /TLS: what the client sent/ : /the client reset it|the connection was lost/,
      );
      assert.doesNotMatch(scene.aborted, LIBRARY_TEXT);
      await eventually("the connection to be gone", () => server.stats().connections === 0);
      assert.deepEqual(server.stats().faults, isFault ? { "tls-broken": 1 } : {});
    });
  }

  test(`${version}: the alert of a client that could not read a record is named on the server`, async (t) => {
    const scene = await Scene.open(t, version);
    void scene.break("server", BREAKAGES["a flipped bit"]!.act, true);
    await eventually("the handler to be told", () => scene.aborted !== "");
    assert.match(scene.aborted, /the client ended the connection with the alert "bad record mac" \(ERR_SSL_/);
    assert.deepEqual(scene.lab.server.stats().faults, { "tls-broken": 1 });
  });
}
