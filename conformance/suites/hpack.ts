/**
 * HPACK both ways, against stories that other encoders wrote and against an independent implementation. A story is a case.
 * The header lists are requests, so decoding is the server's part and encoding the client's.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Indexing } from "../../packages/volant/src/http2/hpack/index.ts";
import { runOrThrow } from "../tools/processes.ts";
import { checkDecoding, encodeStory, readStories, type Story, withTableChanges } from "./hpack-stories.ts";
import { dataAbsence, sharedData } from "./shared-data.ts";
import { type Checks, runChecks, SkippedCase, type Suite, type SuiteContext } from "./suite.ts";

const PEER = join(import.meta.dirname, "..", "programs", "hpack_peer.py");

type PeerAnswer = { readonly blocks: readonly unknown[] } | { readonly error: string };

interface Encoding {
  readonly story: Story;
  readonly title: string;
  readonly wires: readonly string[];
}

async function run({ optionalTool }: SuiteContext): ReturnType<Suite["run"]> {
  const stories = readStories(sharedData("hpack"));
  const recorded = stories.filter(({ blocks }) => blocks.some(({ wire }) => wire !== undefined));
  const raw = stories.filter((story) => !recorded.includes(story));
  assert.ok(recorded.length > 0 && raw.length > 0, "the collection has recorded and raw stories");

  const python = optionalTool("python-hpack");
  const encodings = raw.flatMap(encodeInEveryWay);
  const server: Checks = { ...decodingChecks(recorded), ...(await peerEncodingChecks(raw, python)) };
  const client: Checks = { ...ownDecodingChecks(encodings), ...(await peerDecodingChecks(encodings, python)) };
  return [
    { role: "server", cases: await runChecks(server) },
    { role: "client", cases: await runChecks(client) },
  ];
}

function encodeInEveryWay(story: Story): Encoding[] {
  const changing = withTableChanges(story);
  return [
    { story, title: "indexed", wires: encodeStory(story, Indexing.INCREMENTAL) },
    { story, title: "without indexing", wires: encodeStory(story, Indexing.WITHOUT) },
    { story, title: "never indexed", wires: encodeStory(story, Indexing.NEVER) },
    { story: changing, title: "indexed, table changes", wires: encodeStory(changing, Indexing.INCREMENTAL) },
  ];
}

function decodingChecks(stories: readonly Story[]): Checks {
  const check = (story: Story) => () =>
    checkDecoding(
      story,
      story.blocks.map(({ wire }) => wire ?? ""),
    );
  return Object.fromEntries(stories.map((story) => [`decode ${story.name}`, check(story)]));
}

function ownDecodingChecks(encodings: readonly Encoding[]): Checks {
  return Object.fromEntries(
    encodings.map(({ story, title, wires }) => [
      `encode ${story.name} ${title}, decoded by ours`,
      () => checkDecoding(story, wires),
    ]),
  );
}

async function peerDecodingChecks(encodings: readonly Encoding[], python: string | undefined): Promise<Checks> {
  const requests = encodings.map(({ story, wires }) => ({
    operation: "decode",
    blocks: wires.map((wire, at) => ({ wire, table: story.blocks[at]?.table })),
  }));
  const answers = await askPeer(python, requests);
  return Object.fromEntries(
    encodings.map(({ story, title }, at) => [
      `encode ${story.name} ${title}, decoded by python-hpack`,
      () =>
        assert.deepEqual(
          answerOf(answers, at),
          story.blocks.map(({ fields }) => fields),
        ),
    ]),
  );
}

async function peerEncodingChecks(stories: readonly Story[], python: string | undefined): Promise<Checks> {
  const variants = stories.flatMap((story) => [
    { title: "", story },
    { title: ", table changes", story: withTableChanges(story) },
  ]);
  const requests = variants.map(({ story }) => ({ operation: "encode", blocks: story.blocks }));
  const answers = await askPeer(python, requests);
  return Object.fromEntries(
    variants.map(({ title, story }, at) => [
      `decode ${story.name} encoded by python-hpack${title}`,
      () => checkDecoding(story, answerOf(answers, at) as string[]),
    ]),
  );
}

async function askPeer(python: string | undefined, requests: readonly object[]): Promise<PeerAnswer[] | undefined> {
  if (python === undefined) return undefined;
  const { stdout } = await runOrThrow(python, [PEER], { stdin: JSON.stringify(requests) });
  return JSON.parse(stdout.toString()) as PeerAnswer[];
}

function answerOf(answers: readonly PeerAnswer[] | undefined, at: number): readonly unknown[] {
  if (answers === undefined) throw new SkippedCase("there is no python-hpack");
  const answer = answers[at] ?? { error: "no answer" };
  if ("error" in answer) throw new Error(answer.error);
  return answer.blocks;
}

export const hpack: Suite = {
  name: "hpack",
  isFast: true,
  tools: [],
  optionalTools: ["python-hpack"],
  absence: () => dataAbsence("hpack"),
  run,
};
