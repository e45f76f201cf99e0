// Owns: that a server with its defaults takes a patient flood: nothing is refused, and the connection lives.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { FrameTrace, frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { useServer } from "../../packages/volant/src/testing/index.ts";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { createUserResponse } from "../user-response.ts";
import { FLOODS } from "./flood-frames.ts";
import { createPatientFlood } from "./patient-frames.ts";

/** What the flood itself makes the server count: each has its own act, and no other. */
const COUNTED = {
  "rapid reset": ["reset-by-peer"],
  CONTINUATION: [],
  PING: [],
  SETTINGS: ["settings"],
  "empty DATA": ["empty-data"],
  "DATA of one octet": ["reset-by-peer"],
} as const;

/** The answer to what is sent behind the body. */
const LAST = `PING ${Buffer.from("are here").toString("hex")} ack`;

for (const name of FLOODS) {
  test(`a patient flood of ${name} breaks no limit`, async (t) => {
    const { server, port } = await useServer(t, (server) => {
      server.add(UserService, { getUser: async ({ userId }) => createUserResponse(userId, BigInt) }, { partial: true });
    });
    const socket = connect({ port, host: "127.0.0.1" });
    t.after(() => socket.destroy());
    const { opening, createBodies } = createPatientFlood(name);
    const trace = new FrameTrace();
    const answers: string[] = [];
    socket.write(Buffer.concat([opening, createBodies()()!, frames.ping("are here").bytes()]));
    for await (const chunk of socket) {
      answers.push(...trace.read(chunk as Buffer).map(({ text }) => text));
      if (answers.some((text) => text.startsWith("GOAWAY") || text === LAST)) break;
    }
    assert.deepEqual(
      answers.filter((text) => /^(GOAWAY|RST_STREAM)/.test(text)),
      [],
    );
    assert.deepEqual(
      Object.keys(server.stats().faults).filter((cause) => cause !== "transport-closed"),
      [...COUNTED[name]],
    );
  });
}
