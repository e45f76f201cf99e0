/** Handlers of the lab that most tests share, and ways to wait for how a call ends. */
import assert from "node:assert/strict";
import type { Handlers, Server } from "../../../src/index.ts";
import { RpcError, type StatusCode } from "../../../src/index.ts";
import { Lab } from "../../gen/lab_pb.ts";

export type LabHandlers = Handlers<typeof Lab>;

/** Sync where a kind allows it. */
export const echo: LabHandlers = {
  unary: ({ text, number, body }) => ({ text: `echo ${text}`, number, body }),
  *download({ text, number }) {
    for (let at = 0; at < number; at++) yield { text: `${text} ${at}`, number: at };
  },
  async upload(requests) {
    const texts: string[] = [];
    for await (const { text } of requests) texts.push(text);
    return { text: texts.join(","), number: texts.length };
  },
  async *chat(requests) {
    for await (const { text, number } of requests) yield { text: `echo ${text}`, number };
  },
};

/** `echo` with some handlers replaced. */
export function withHandlers(handlers: Partial<LabHandlers>): (server: Server) => Server {
  return (server) => server.add(Lab, { ...echo, ...handlers });
}

/** The error that a call ends with. */
export async function failureOf(call: PromiseLike<unknown>, code: StatusCode): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, `an RpcError, not ${String(error)}`);
    assert.equal(error.code, code, `${error.codeName}: ${error.message}`);
    return error;
  }
  return assert.fail("the call succeeded");
}

export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of iterable) all.push(item);
  return all;
}
