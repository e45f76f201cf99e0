/**
 * Every session of the corpus keeps the invariants, whatever the layer above does meanwhile.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Run } from "./connection.ts";
import { loadCore } from "./core.ts";
import { CORPUS } from "./corpus.ts";
import { chunksOf, Random } from "./random-source.ts";
import type { Step } from "./session.ts";
import { TransitionMap } from "./transitions.ts";

const EMPTY_SETTINGS = Buffer.from("000000040000000000", "hex");
const OPENS: readonly Step[] = [{ kind: "open" }, { kind: "open" }, { kind: "open" }];
const ANSWERS: readonly Step[] = [{ kind: "act" }, { kind: "act" }, { kind: "take" }, { kind: "time", ms: 70_000 }];

for (const { name, role, octets } of CORPUS) {
  test(`${name}: the invariants hold, and octet by octet it is the same connection`, () => {
    const core = loadCore({}, undefined);
    for (let seed = 0; seed < 20; seed++) {
      const opening: readonly Step[] = role === "client" ? [{ kind: "receive", octets: EMPTY_SETTINGS }, ...OPENS] : [];
      const plan = { role, options: {}, seed, script: [...opening, { kind: "receive", octets } as const, ...ANSWERS] };
      const whole = new Run(core, plan, new TransitionMap()).play((chunk) => [chunk]);
      const cut = new Run(core, plan, new TransitionMap()).play((chunk) => chunksOf(new Random(seed), chunk, true));
      assert.deepEqual(cut, whole);
      assert.ok(whole.events.length > 0);
    }
  });
}
