/** Compressed calls with `@grpc/grpc-js` on the other side, in both directions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { useServer } from "../../src/testing/index.ts";
import { startGrpcJsServer } from "../client/support/grpc-js-server.ts";
import { allOf, openChannel } from "../client/support/harness.ts";
import { Lab } from "../gen/lab_pb.ts";
import type { GrpcJsLab, PlainNote } from "../server/support/grpc-js.ts";
import { withHandlers } from "../server/support/lab-service.ts";

const LONG = "words that repeat, ".repeat(10_000);

for (const compression of ["gzip", "deflate"] as const) {
  test(`our client, a server of grpc-js: ${compression} requests of every size, unary and streamed`, async (t) => {
    const server = await startGrpcJsServer();
    t.after(() => server.close());
    const { client } = openChannel(t, server.target, { compression: { send: compression } });
    for (const value of ["short", LONG]) {
      assert.equal((await client.unary({ value })).value, value);
      assert.equal((await client.upload([{ value }, { value }])).value, `${value},${value}`);
      const answers = await allOf(client.chat([{ value }, { value: "s" }, { value }]));
      assert.deepEqual(
        answers.map((answer) => answer.value),
        [`re:${value}`, "re:s", `re:${value}`],
      );
    }
  });
}

const PROTO = fileURLToPath(new URL("../proto/lab.proto", import.meta.url));
const LabClient = (grpc.loadPackageDefinition(loadSync(PROTO)) as unknown as Loaded).volant.test.Lab;

interface Loaded {
  readonly volant: { readonly test: { readonly Lab: grpc.ServiceClientConstructor } };
}

const ALGORITHMS = { gzip: grpc.compressionAlgorithms.gzip, deflate: grpc.compressionAlgorithms.deflate } as const;

for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
  test(`a client of grpc-js, our server: ${name} both ways, unary and streamed`, async (t) => {
    const lab = await useServer(t, withHandlers({ unary: ({ text }) => ({ text }) }), {
      server: { compression: { send: name as "gzip" } },
    });
    const client = new LabClient(lab.target, grpc.credentials.createInsecure(), {
      "grpc.default_compression_algorithm": algorithm,
    }) as unknown as GrpcJsLab;
    lab.defer(() => client.close());
    for (const text of ["short", LONG]) {
      const note = await new Promise<PlainNote>((resolve, reject) => {
        client.unary({ text }, new grpc.Metadata(), {}, (error, answer) => (error ? reject(error) : resolve(answer!)));
      });
      assert.equal(note.text, text);
      const notes: string[] = [];
      for await (const answer of client.download({ text, number: 4 })) notes.push((answer as PlainNote).text!);
      assert.deepEqual(
        notes,
        [0, 1, 2, 3].map((at) => `${text} ${at}`),
      );
      const chat = client.chat();
      const answers: string[] = [];
      chat.on("data", (answer: PlainNote) => answers.push(answer.text!));
      for (const each of [text, "s", text]) chat.write({ text: each });
      chat.end();
      await new Promise((resolve, reject) => chat.on("end", resolve).on("error", reject));
      assert.deepEqual(answers, [`echo ${text}`, "echo s", `echo ${text}`]);
    }
    // The same server, for a client that compresses nothing and still accepts.
    assert.equal((await lab.client(Lab).unary({ text: LONG })).text, LONG);
  });
}
