import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttackWire, overWire, wireLabel } from "./attack-wire.ts";
import { attackTestName, honestTestName } from "./limits-document.ts";
import { isHonestOver, type ServerAttack } from "./server-attack.ts";
import { SERVER_ATTACKS } from "./server-attacks.ts";

function testOver(wire: AttackWire, attack: ServerAttack): void {
  const { name, allowed, unit, off, play, honest, counter } = attack;
  const label = wireLabel(wire);

  test(`${label}${attackTestName(attack)}`, async () => {
    const { got, counted } = await overWire(wire, () => play({}));
    assert.ok(got <= allowed, `${got} ${unit}, ${allowed} are allowed`);
    assert.ok(counted > 0, `${counter} was not counted`);
  });

  test(`${label}${name} succeeds once the defence is off`, async () => {
    const { got } = await overWire(wire, () => play(off));
    assert.ok(got > allowed, `${got} ${unit}: the attack proves nothing unless it is more than ${allowed}`);
  });

  if (isHonestOver(attack, wire)) test(`${label}${honestTestName(attack)}`, () => overWire(wire, () => honest.play()));
}

for (const attack of SERVER_ATTACKS) {
  testOver("memory", attack);
  if (attack.isLongOverSockets === undefined) testOver("tls", attack);
}
