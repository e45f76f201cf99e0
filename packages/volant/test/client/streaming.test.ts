/** Requests as iterables and by hand, responses at the reader's pace. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { RpcError, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { messageBytes, UNENCODABLE } from "./support/echo-service.ts";
import { allOf, drained, failure, until, withPeer, withServer } from "./support/harness.ts";

const BIG = "x".repeat(32_768);

test("the four kinds, with iterables and by hand", async (t) => {
  const { client } = await withServer(t);
  assert.equal((await client.unary({ value: "a" })).value, "a");
  assert.deepEqual((await drained(client.download({ value: "3" }))).values, ["0", "1", "2"]);
  assert.equal((await client.upload([{ value: "a" }, { value: "b" }])).value, "a,b");
  assert.equal((await client.upload([])).value, "");
  async function* letters() {
    yield { value: "a" };
    yield { value: "b" };
  }
  assert.equal((await client.upload(letters())).value, "a,b");
  assert.deepEqual((await drained(client.chat(letters()))).values, ["re:a", "re:b"]);
  const upload = client.upload();
  await upload.send({ value: "x" });
  await upload.send({ value: "y" });
  upload.end();
  assert.equal((await upload).value, "x,y");
  const chat = client.chat();
  await chat.send({ value: "1" });
  const answers = chat[Symbol.asyncIterator]();
  assert.equal((await answers.next()).value?.value, "re:1");
  chat.end();
  assert.equal((await answers.next()).done, true);
});

test("messages sent before the connection is there arrive in order, and end() comes behind them", async (t) => {
  const { client } = await withServer(t);
  const upload = client.upload();
  for (const value of ["a", "b", "c"]) void upload.send({ value });
  upload.end();
  upload.end();
  assert.equal((await upload).value, "a,b,c");
});

test("send() after end() is refused; after the end of the call it rejects with the call's error", async (t) => {
  const { peer, client } = await withPeer(t);
  const upload = client.upload();
  upload.end();
  await assert.rejects(upload.send({ value: "late" }), /end\(\) was called/);
  const chat = client.chat();
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^HEADERS 3/);
  connection.write(connection.headers(3), connection.trailers(3, "5", [["grpc-message", "no such room"]]));
  await failure(allOf(chat), StatusCode.NOT_FOUND);
  assert.equal((await failure(chat.send({ value: "x" }), StatusCode.NOT_FOUND)).message, "no such room");
  chat.end();
  chat.cancel();
  connection.write(connection.headers(1), connection.trailers(1, "5"));
  await failure(upload, StatusCode.NOT_FOUND);
});

test("send() waits for room: a server that does not read stops the writer, in iterables too", async (t) => {
  const gate = Promise.withResolvers<void>();
  const { client } = await withServer(t, {
    async upload(requests) {
      await gate.promise;
      let count = 0;
      for await (const _ of requests) count++;
      return { value: String(count) };
    },
  });
  let made = 0;
  function* requests() {
    for (; made < 100; made++) yield { value: BIG };
  }
  const byIterable = client.upload(requests());
  const byHand = client.upload();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 100; sent++) await byHand.send({ value: BIG });
    byHand.end();
  })();
  // A unary call behind them comes back when all that can be sent has been.
  for (let n = 0; n < 20; n++) await client.unary({ value: "ping" });
  assert.ok(made < 20, `${made} messages were made for a reader that takes none`);
  assert.ok(sent < 20, `${sent} messages were sent to a reader that takes none`);
  gate.resolve();
  await sending;
  assert.equal((await byIterable).value, "100");
  assert.equal((await byHand).value, "100");
});

test("send() that waits for room rejects with the call's error when the call ends meanwhile", async (t) => {
  const { peer, client } = await withPeer(t);
  const upload = client.upload();
  // The server's window takes 65,535 octets of it.
  const waiting = upload.send({ value: "x".repeat(200_000) });
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1/);
  upload.cancel();
  await failure(waiting, StatusCode.CANCELLED);
  await failure(upload, StatusCode.CANCELLED);
});

test("a response stream that nobody iterates stays bounded by its window, and its failure harms nobody", async (t) => {
  let made = 0;
  const { client, server } = await withServer(t, {
    async *download() {
      for (; ; made++) yield { value: BIG };
    },
  });
  const ignored = client.download({ value: "" });
  for (let n = 0; n < 50; n++) await client.unary({ value: "ping" });
  const bound = made;
  assert.ok(bound < 20, `${bound} messages were made for a reader that takes none`);
  for (let n = 0; n < 50; n++) await client.unary({ value: "ping" });
  assert.equal(made, bound);
  ignored.cancel();
  await until(() => server.streamCount === 0);
});

test("calls whose outcome nobody looks at become no unhandled rejection", async (t) => {
  const { client, channel } = await withServer(t, {
    upload: () => {
      throw new RpcError(StatusCode.ABORTED, "no");
    },
  });
  const upload = client.upload();
  const chat = client.chat();
  const download = client.download({ value: "1" }, { timeoutMs: 1 });
  void upload.send({ value: "a" });
  void chat.send(UNENCODABLE);
  await failure(upload, StatusCode.ABORTED);
  void upload.send({ value: "b" });
  await channel.close();
  void chat.send({ value: "c" });
  void download;
  // Unhandled rejections are told when the microtasks are done; the runner would fail this test.
  await new Promise((resolve) => setImmediate(resolve));
});

test("a message that cannot be sent by hand ends the call, so that it is missed", async (t) => {
  const { client } = await withServer(t);
  const upload = client.upload();
  const error = await failure(upload.send(UNENCODABLE), StatusCode.INTERNAL);
  assert.match(String(error.cause), /unreadable field/);
  await failure(upload, StatusCode.INTERNAL);
});

test("an iterable that throws ends the call with its error as cause; an RpcError is the status itself", async (t) => {
  const { client, server } = await withServer(t);
  const broken = new Error("disk");
  const error = await failure(
    client.upload(
      (async function* () {
        yield { value: "a" };
        throw broken;
      })(),
    ),
    StatusCode.INTERNAL,
  );
  assert.equal(error.message, "the request cannot be sent: disk");
  assert.equal(error.cause, broken);
  const own = new RpcError(StatusCode.FAILED_PRECONDITION, "not now");
  const failing = {
    [Symbol.iterator](): never {
      throw own;
    },
  };
  assert.equal(await failure(client.upload(failing), StatusCode.FAILED_PRECONDITION), own);
  const aborted = (async function* () {
    yield { value: "a" };
    AbortSignal.abort().throwIfAborted();
  })();
  await failure(allOf(client.chat(aborted)), StatusCode.CANCELLED);
  await until(() => server.streamCount === 0);
});

test("the end of a call closes its iterable: started, waiting, or never touched", async (t) => {
  const { client, channel } = await withServer(t, {
    upload: async () => ({ value: "enough" }),
  });
  const closed: string[] = [];
  async function* waiting() {
    try {
      yield { value: "a" };
      await new Promise((resolve) => setImmediate(resolve));
      while (true) yield { value: "b" };
    } finally {
      closed.push("waiting");
    }
  }
  assert.equal((await client.upload(waiting())).value, "enough");
  await until(() => closed.length === 1);
  const untouched = {
    next: () => assert.fail("nothing was asked for"),
    return: () => {
      closed.push("untouched");
      return { done: true as const, value: undefined };
    },
    [Symbol.iterator]: () => untouched,
  };
  await failure(client.upload(untouched, { signal: AbortSignal.abort() }), StatusCode.CANCELLED);
  await until(() => closed.length === 2);
  assert.deepEqual(closed, ["waiting", "untouched"]);
  assert.equal(channel.state, "READY");
});

test("a generator that cancels its own call is closed", async (t) => {
  const { client } = await withServer(t);
  let isClosed = false;
  function* requests() {
    try {
      yield { value: "a" };
      chat.cancel();
      yield { value: "b" };
    } finally {
      isClosed = true;
    }
  }
  const chat = client.chat(requests());
  await failure(allOf(chat), StatusCode.CANCELLED);
  await until(() => isClosed);
});

test("the clean-up of a generator that fails is reported, not thrown", async (t) => {
  const errors: unknown[] = [];
  const { client } = await withServer(
    t,
    { upload: async () => ({ value: "enough" }) },
    { onError: (error) => errors.push(error) },
  );
  const failing = new Error("clean-up");
  await client.upload(
    (function* () {
      try {
        while (true) yield { value: BIG };
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: this is what the test is about
        throw failing;
      }
    })(),
  );
  await until(() => errors.length > 0);
  assert.deepEqual(errors, [failing]);
});

test("a request iterable runs in the context of the caller", async (t) => {
  const { client } = await withServer(t);
  const storage = new AsyncLocalStorage<string>();
  const { value } = await storage.run("mine", () =>
    client.upload(
      (async function* () {
        yield { value: String(storage.getStore()) };
        await new Promise((resolve) => setImmediate(resolve));
        yield { value: String(storage.getStore()) };
      })(),
    ),
  );
  assert.equal(value, "mine,mine");
});

test("a server that answers before the request is complete ends it with its status", async (t) => {
  const { client, server } = await withServer(t, {
    async *chat() {
      yield { value: "hello" };
    },
  });
  const chat = client.chat();
  assert.deepEqual((await drained(chat)).values, ["hello"]);
  await failure(chat.send({ value: "more" }), StatusCode.CANCELLED);
  await until(() => server.streamCount === 0);
});

test("two readers of one stream share it; a stream that has ended stays ended", async (t) => {
  const { client } = await withServer(t);
  const call = client.download({ value: "3" });
  const [a, b] = [call[Symbol.asyncIterator](), call[Symbol.asyncIterator]()];
  const results = await Promise.all([a.next(), b.next(), a.next(), b.next()]);
  assert.deepEqual(results.map(({ done }) => done ?? false).sort(), [false, false, false, true]);
  assert.deepEqual((await drained(call)).values, []);
});

test("messages that share a frame, and one that is spread over many, come out whole", async (t) => {
  const { peer, client } = await withPeer(t);
  const reading = drained(client.download({ value: "" }));
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  connection.write(connection.headers(1), frames.data(1, Buffer.concat(["a", "b"].map(messageBytes))));
  for (const octet of messageBytes("long")) connection.write(frames.data(1, Buffer.of(octet)));
  connection.write(connection.trailers(1));
  assert.deepEqual(await reading, { values: ["a", "b", "long"], error: undefined });
});

test("the error of a call says where the caller was", async (t) => {
  const { client } = await withServer(t, {
    unary: () => {
      throw new RpcError(StatusCode.NOT_FOUND, "no such user");
    },
    upload: () => {
      throw new RpcError(StatusCode.NOT_FOUND, "no such user");
    },
    async *download({ value }) {
      if (value !== "") yield { value };
      throw new RpcError(StatusCode.NOT_FOUND, "no such user");
    },
    async *chat(messages) {
      for await (const message of messages) yield message;
      throw new RpcError(StatusCode.NOT_FOUND, "no such user");
    },
  });
  async function storeByHand() {
    const call = client.upload();
    await call.send({ value: "a" });
    call.end();
    return await call;
  }
  async function readAtOnce() {
    for await (const _ of client.download({ value: "" })) assert.fail("there is none");
  }
  async function readLater() {
    for await (const { value } of client.download({ value: "a" })) assert.equal(value, "a");
  }
  async function readLate() {
    const call = client.download({ value: "" });
    await client.upload([]).catch(() => undefined);
    for await (const _ of call) assert.fail("there is none");
  }
  async function talk() {
    for await (const { value } of client.chat([{ value: "a" }])) assert.equal(value, "a");
  }
  async function loadUser() {
    return await client.unary({ value: "a" });
  }
  async function storeUsers() {
    return await client.upload([]);
  }
  for (const [call, name] of [
    [loadUser, /at async loadUser \(.*streaming\.test\.ts/],
    [storeUsers, /at async storeUsers \(.*streaming\.test\.ts/],
    [storeByHand, /at async storeByHand \(.*streaming\.test\.ts/],
    [readAtOnce, /at async readAtOnce \(.*streaming\.test\.ts/],
    [readLater, /at async readLater \(.*streaming\.test\.ts/],
    [readLate, /at async readLate \(.*streaming\.test\.ts/],
    [talk, /at async talk \(.*streaming\.test\.ts/],
  ] as const) {
    const { stack } = await failure(call(), StatusCode.NOT_FOUND);
    assert.match(stack!, /^RpcError: NOT_FOUND \/test\.Echo\/\w+: no such user\n/);
    assert.match(stack!, name);
  }
});
