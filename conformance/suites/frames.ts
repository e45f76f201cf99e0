/**
 * A shared collection of single frames, valid and not, one JSON file each. Valid ones must be read as what they are and
 * written as the same octets again; invalid ones must end the stream or the connection with a code that the file allows.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Http2Connection, resolveHttp2Options } from "volant/http2";
import { FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import { CoreUnderTest } from "../../packages/volant/src/testing/connection-pair.ts";
import { frames as factory } from "../../packages/volant/src/testing/frame-factory.ts";
import { type FrameCase, writeFrame } from "./frame-writer.ts";
import { dataAbsence, sharedData } from "./shared-data.ts";
import { type Checks, runChecks, type Suite, type SuiteRole } from "./suite.ts";

const FRAME_HEADER_BYTES = 9;
const CODE_NAMES = ["NO_ERROR", "PROTOCOL_ERROR", "", "FLOW_CONTROL_ERROR", "", "STREAM_CLOSED", "FRAME_SIZE_ERROR"];

function readCases(): ReadonlyMap<string, FrameCase> {
  const folder = sharedData("frames");
  const files = globSync("*/*.json", { cwd: folder }).sort();
  return new Map(
    files.map((file) => [
      file.replace(/\.json$/, ""),
      JSON.parse(readFileSync(join(folder, file), "utf8")) as FrameCase,
    ]),
  );
}

function checksFor(role: SuiteRole, cases: ReadonlyMap<string, FrameCase>): Checks {
  const checks: Record<string, () => void> = {};
  for (const [name, each] of cases) {
    if (each.frame === null) checks[name] = () => checkRefusal(role, each);
    else {
      checks[`${name} is read`] = () => checkReading(role, each);
      // What is sent does not depend on the role: once is enough.
      const written = role === "server" ? writeFrame(each) : undefined;
      if (written !== undefined) checks[`${name} is written`] = () => checkWriting(each, written);
    }
  }
  return checks;
}

/** A core with stream 1 open, so that a frame is not refused for its stream alone. */
function coreWithOpenStream(role: SuiteRole): CoreUnderTest {
  const core = CoreUnderTest.ready(role);
  if (role === "server") core.receive(factory.headers(1).request("POST", "/"));
  else {
    const fields = Object.entries({ ":method": "POST", ":scheme": "http", ":authority": "a", ":path": "/" });
    const block = fields.map(([name, value]) => ({ name, value, indexing: 0 as const }));
    core.http2.sendHeaders(core.http2.openStream(), block, false);
  }
  core.sent();
  return core;
}

function checkRefusal(role: SuiteRole, { wire, error }: FrameCase): void {
  const core = coreWithOpenStream(role).receive(Buffer.from(wire, "hex"));
  const last = core.sent().at(-1) ?? "nothing";
  const allowed = (error ?? []).map((code) => CODE_NAMES[code]);
  const isRefused = /^(GOAWAY|RST_STREAM) /.test(last) && allowed.some((name) => last.split(" ").includes(name ?? ""));
  assert.ok(isRefused, `answered with ${last}, allowed is GOAWAY or RST_STREAM with ${allowed.join(" or ")}`);
}

function checkReading(role: SuiteRole, { wire, frame }: FrameCase): void {
  const seen: number[][] = [];
  const core = new FrameRecorder(role, (header) => seen.push(header));
  const octets = Buffer.from(wire, "hex");
  if (role === "server") core.receive(factory.preface, 0);
  core.receive(Buffer.concat([factory.settings().bytes(), octets]), 0);
  const expected = [octets.length - FRAME_HEADER_BYTES, frame?.type, frame?.flags, frame?.stream_identifier];
  assert.deepEqual(seen, [[0, FrameType.SETTINGS, 0, 0], expected]);
  assert.notEqual(core.fault?.code, CODE_NAMES.indexOf("FRAME_SIZE_ERROR"), "its length is legal");
}

function checkWriting({ wire }: FrameCase, written: Buffer): void {
  assert.equal(written.toString("hex").toUpperCase(), wire.toUpperCase());
}

/** Notes the frames that its reader sees. */
class FrameRecorder extends Http2Connection {
  private readonly note: (header: number[]) => void;

  constructor(role: SuiteRole, note: (header: number[]) => void) {
    super(role, resolveHttp2Options(), new CoreUnderTest(role).sink);
    this.note = note;
    this.start(0);
  }

  override onFrame(
    bytes: Buffer,
    start: number,
    length: number,
    type: number,
    flags: number,
    streamId: number,
  ): boolean {
    this.note([length, type, flags, streamId]);
    return super.onFrame(bytes, start, length, type, flags, streamId);
  }
}

async function run(): ReturnType<Suite["run"]> {
  const cases = readCases();
  assert.ok(cases.size >= 30, `the collection has ${cases.size} files, at least 30 are expected`);
  return [
    { role: "server", cases: await runChecks(checksFor("server", cases)) },
    { role: "client", cases: await runChecks(checksFor("client", cases)) },
  ];
}

export const frames: Suite = { name: "frames", isFast: true, tools: [], absence: () => dataAbsence("frames"), run };
