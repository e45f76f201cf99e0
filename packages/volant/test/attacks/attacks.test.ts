import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS } from "./attack-list.ts";
import { attackTestName, honestTestName } from "./limits-document.ts";

for (const attack of ATTACKS) {
  const { allowed, unit, off, play, honest } = attack;

  test(attackTestName(attack), () => {
    const { got, core } = play({}, true);
    assert.ok(got <= allowed, `${got} ${unit}, ${allowed} are allowed`);
    assert.ok(
      (core.http2.faultCounts.get(attack.counter) ?? 0) > 0,
      `counted are ${[...core.http2.faultCounts].join(" ")}`,
    );
  });

  if (off !== undefined) {
    test(`${attack.name} succeeds once the defence is off`, () => {
      const { got } = play(off, false);
      assert.ok(got > allowed, `${got} ${unit}: the attack proves nothing unless it is more than ${allowed}`);
    });
  }

  test(honestTestName(attack), () => honest.play());
}
