/**
 * Attacks on the turns of others: more legal calls at once than one client's share of the event loop. What a handler takes is
 * virtual time, so the order of calls depends on nothing else.
 */
import { frames } from "../../src/testing/frame-factory.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { assertUnhurt, type ServerAttack, type ServerOutcome, type ServerScene, scene } from "./server-attack.ts";
import { turns } from "./virtual-time.ts";

const ATTACKER = "192.0.2.1";
const CONNECTIONS = 8;
const CALLS_A_CONNECTION = 600;
const HANDLER_MS = 0.2;
const ROUNDS = 3;
const MOST_TURNS = 10_000;
const EMPTY = prefixed(Buffer.alloc(0));
const VICTIM = prefixed(Buffer.from([0x1a, 1, 0x76]));

const unary = (id: number, message: Buffer): Buffer =>
  Buffer.concat([call(id, "Unary").bytes(), frames.data(id, message).endStream().bytes()]);

/** Most calls of the attacker that were handled between a call of the victim and its handler. */
async function longestWait({ server }: ServerScene, handled: Handled, victimAddress: string): Promise<ServerOutcome> {
  const victim = await MemoryPeer.ready(server, `${victimAddress}:1`);
  const ports = Array.from({ length: CONNECTIONS }, (_, index) => 1_000 + index);
  const attackers = await Promise.all(ports.map((port) => MemoryPeer.ready(server, `${ATTACKER}:${port}`)));
  let longest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = handled.others;
    const calls = Array.from({ length: CALLS_A_CONNECTION }, (_, index) =>
      unary(1 + 2 * (round * CALLS_A_CONNECTION + index), EMPTY),
    );
    for (const attacker of attackers) attacker.send(...calls);
    victim.send(unary(1 + 2 * round, VICTIM));
    const all = (round + 1) * CONNECTIONS * CALLS_A_CONNECTION;
    for (let turn = 0; handled.victims === round || handled.others < all; turn++) {
      if (turn > MOST_TURNS) throw new Error(`no end after ${handled.others} calls of others`);
      await turns(1);
    }
    longest = Math.max(longest, handled.othersBeforeVictim - before);
  }
  return { got: longest, counted: server.stats().turnsWaited };
}

interface Handled {
  victims: number;
  others: number;
  /** When the victim's last call was handled. */
  othersBeforeVictim: number;
}

function play(options: object, victimAddress: string): Promise<ServerOutcome> {
  const handled: Handled = { victims: 0, others: 0, othersBeforeVictim: 0 };
  let spend: (ms: number) => void = () => undefined;
  const unaryHandler = ({ body }: { body: Uint8Array }): object => {
    if (body.length > 0) {
      handled.victims++;
      handled.othersBeforeVictim = handled.others;
    } else handled.others++;
    spend(HANDLER_MS);
    return {};
  };
  return scene(options, { unary: unaryHandler }, (it) => {
    spend = (ms) => it.time.spend(ms);
    return longestWait(it, handled, victimAddress);
  });
}

/** As many at once from everybody as fit in a turn, over and over. */
async function shortBursts({ server, time }: ServerScene): Promise<void> {
  const ports = Array.from({ length: CONNECTIONS }, (_, index) => 1_000 + index);
  const peers = await Promise.all(ports.map((port) => MemoryPeer.ready(server, `${ATTACKER}:${port}`)));
  for (let round = 0; round < 100; round++) {
    for (const peer of peers) peer.send(unary(1 + 2 * round, EMPTY));
    await time.pass(1);
  }
  if (server.stats().turnsWaited > 0) throw new Error("somebody waited who asks for little");
  assertUnhurt(server);
}

const RULE =
  "what is read is handled in pieces of a millisecond; beyond a slice a turn it waits, and the client that has had least is next";

const fromOtherAddress: ServerAttack = {
  name: "legal calls without end on eight connections of one address, for a client of another",
  cve: "slow neighbours",
  rule: RULE,
  options: ["turnSliceMs"],
  counter: "stats().turnsWaited",
  unit: "of their calls before one of another client",
  allowed: 150,
  off: { turnSliceMs: Number.POSITIVE_INFINITY },
  play: (options) => play(options, "192.0.2.9"),
  honest: {
    name: "eight connections of one address with a call each, a hundred times: none of them waits",
    play: () => scene({}, { unary: () => ({}) }, shortBursts),
  },
};

const behindOneAddress: ServerAttack = {
  name: "legal calls without end on eight connections, for a ninth behind the same address",
  cve: "slow neighbours",
  rule: "connections of one client share its turns: the one that has had least is next",
  options: ["turnSliceMs"],
  counter: "stats().turnsWaited",
  unit: "of their calls before one of the ninth",
  allowed: 500,
  off: { turnSliceMs: Number.POSITIVE_INFINITY },
  play: (options) => play(options, ATTACKER),
  honest: {
    name: "a connection that sends as much as all the others together still has its calls answered in order",
    play: () =>
      scene({}, { unary: () => ({}) }, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server, `${ATTACKER}:1`);
        peer.send(...Array.from({ length: CALLS_A_CONNECTION }, (_, index) => unary(1 + 2 * index, EMPTY)));
        await time.pass(1);
        const answered = peer.lines
          .filter((line) => line.includes("grpc-status=0"))
          .map((line) => /\d+/.exec(line)![0]);
        if (answered.length !== CALLS_A_CONNECTION) throw new Error(`${answered.length} calls were answered`);
        if (answered.some((id, index) => Number(id) !== 1 + 2 * index)) throw new Error("answers are out of order");
        assertUnhurt(server);
      }),
  },
};

export const TURN_ATTACKS: readonly ServerAttack[] = [fromOtherAddress, behindOneAddress];
