/**
 * Known attacks on HTTP/2 peers, replayed against the core, or a whole server, on virtual time: the core in memory, a server in memory
 * and through TLS on real sockets. Each must be repelled, must succeed once its limit is off, so that the proof can fail, and must
 * spare the honest peer that comes closest to it.
 * The attacks themselves are in the library's tests; `docs/limits.md` has the table of them.
 */
import assert from "node:assert/strict";
import type { Attack } from "../../packages/volant/test/attacks/attack.ts";
import { ATTACKS } from "../../packages/volant/test/attacks/attack-list.ts";
import { type AttackWire, overWire, wireLabel } from "../../packages/volant/test/attacks/attack-wire.ts";
import { isHonestOver, type ServerAttack } from "../../packages/volant/test/attacks/server-attack.ts";
import { SERVER_ATTACKS } from "../../packages/volant/test/attacks/server-attacks.ts";
import { type Checks, runChecks, type Suite, type SuiteContext } from "./suite.ts";

function checksFor(attack: Attack, log: SuiteContext["log"]): Checks {
  const { name, allowed, unit, off, play, honest } = attack;
  const checks: Record<string, () => void> = {
    [`${name}: repelled`]: () => {
      const { got, core } = play({}, true);
      const counted = core.http2.faultCounts.get(attack.counter) ?? 0;
      const without = off === undefined ? "no switch" : `${play(off, false).got} without the limit`;
      log(`${name}: ${got} ${unit}, ${allowed} allowed, ${without}; ${attack.counter} ${counted}`);
      assert.ok(got <= allowed, `${got} ${unit}, ${allowed} are allowed`);
      assert.ok(counted > 0, `${attack.counter} was not counted`);
    },
    [`${name}: unhurt is ${honest.name}`]: () => honest.play(),
  };
  if (off !== undefined) {
    checks[`${name}: succeeds without its limit`] = () => {
      const { got } = play(off, false);
      assert.ok(got > allowed, `${got} ${unit} prove nothing: with the limit ${allowed} are allowed`);
    };
  }
  return checks;
}

const SERVER_WIRES: readonly AttackWire[] = ["memory", "tls"];

function serverChecksFor(wire: AttackWire, attack: ServerAttack, log: SuiteContext["log"]): Checks {
  const { allowed, unit, off, play, honest } = attack;
  const name = `${wireLabel(wire)}${attack.name}`;
  const checks: Record<string, () => Promise<void>> = {
    [`${name}: repelled`]: async () => {
      const { got, counted } = await overWire(wire, () => play({}));
      log(`${name}: ${got} ${unit}, ${allowed} allowed; ${attack.counter} ${counted}`);
      assert.ok(got <= allowed, `${got} ${unit}, ${allowed} are allowed`);
      assert.ok(counted > 0, `${attack.counter} was not counted`);
    },
    [`${name}: succeeds without its limit`]: async () => {
      const { got } = await overWire(wire, () => play(off));
      log(`${name}: ${got} ${unit} without its limit`);
      assert.ok(got > allowed, `${got} ${unit} prove nothing: with the limit ${allowed} are allowed`);
    },
  };
  if (isHonestOver(attack, wire)) {
    checks[`${name}: unhurt is ${honest.name}`] = () => overWire(wire, () => honest.play());
  }
  return checks;
}

async function run({ log }: SuiteContext): ReturnType<Suite["run"]> {
  const checks: Checks = Object.assign(
    {},
    ...ATTACKS.map((attack) => checksFor(attack, log)),
    ...SERVER_WIRES.flatMap((wire) => SERVER_ATTACKS.map((attack) => serverChecksFor(wire, attack, log))),
  );
  return [{ role: "server", cases: await runChecks(checks) }];
}

export const attacks: Suite = { name: "attacks", isFast: true, tools: [], run };
