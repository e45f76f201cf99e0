import assert from "node:assert/strict";
import { test } from "node:test";
import { attackTestName, honestTestName } from "./limits-document.ts";
import { SERVER_ATTACKS } from "./server-attacks.ts";

for (const attack of SERVER_ATTACKS) {
  const { allowed, unit, off, play, honest, counter } = attack;

  test(attackTestName(attack), async () => {
    const { got, counted } = await play({});
    assert.ok(got <= allowed, `${got} ${unit}, ${allowed} are allowed`);
    assert.ok(counted > 0, `${counter} was not counted`);
  });

  test(`${attack.name} succeeds once the defence is off`, async () => {
    const { got } = await play(off);
    assert.ok(got > allowed, `${got} ${unit}: the attack proves nothing unless it is more than ${allowed}`);
  });

  test(honestTestName(attack), () => honest.play());
}
