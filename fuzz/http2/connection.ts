/**
 * A whole connection, either role, against a peer that is honest, damaged or hostile. What must hold: nothing is thrown,
 * what is held stays within the options, the windows' ledger balances, calls come in order, output is legal, and once
 * everything is reset no stream is left. RFC 9113 §3.4 to §6.10.
 */
import assert from "node:assert/strict";
import type { Http2Options, Role } from "../../packages/volant/src/http2/index.ts";
import type { CoreUnderTest } from "../../packages/volant/src/testing/connection-pair.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { Application, LARGEST_WRITE } from "./application.ts";
import { type Bugs, type Core, loadCore } from "./core.ts";
import { CORPUS } from "./corpus.ts";
import { grownStreamWindow, partsOf } from "./internals.ts";
import { assertLedger, assertWithinOptions } from "./invariants.ts";
import { OutputRules } from "./output-rules.ts";
import { chunksOf, Random } from "./random-source.ts";
import { Session, type Step } from "./session.ts";
import { ALL_TRANSITIONS, TransitionMap } from "./transitions.ts";

const BUGS: Bugs = {
  "padding is never given back": {
    file: "receive-path.ts",
    find: "if (end - from < length) this.creditPadding(stream, length - (end - from));",
    replace: "",
  },
  "DATA on a stream that is gone is lost to the connection's window": {
    file: "receive-path.ts",
    find: "      parts.creditConnection(length);\n      return this.onLateData(streamId);",
    replace: "      return this.onLateData(streamId);",
  },
  "a handler that runs on after its stream does not count": {
    file: "receive-headers.ts",
    find: "streams.openRemote + slots.size >= options.maxConcurrentStreams",
    replace: "streams.openRemote >= options.maxConcurrentStreams",
  },
  "the window of a stream is not enforced": {
    file: "receive-path.ts",
    find: "if (!stream.receiveWindow.receive(length)) {",
    replace: "if (!stream.receiveWindow.receive(length) && length === 0) {",
  },
  "what a stream had queued is sent after its reset": {
    file: "connection-parts.ts",
    find: "    this.dropQueue(stream);\n    this.scheduler.remove(stream);\n",
    replace: "",
  },
  "a window grows beyond its cap": {
    file: "bandwidth-estimator.ts",
    find: "maxBytes))",
    replace: "2 ** 30))",
  },
  "an octet of a header block is lost between CONTINUATION frames": {
    file: "header-block.ts",
    find: "this.kept?.copy(grown, 0, 0, this.length);",
    replace: "this.kept?.copy(grown, 0, 0, this.length - 1);",
  },
};

export const connection: FuzzTarget = { name: "http2-connection", bugs: Object.keys(BUGS), start };

const OPTIONS: readonly Http2Options[] = [
  {},
  { maxConcurrentStreams: 2, initialStreamWindowBytes: 1_000, connectionWindowBytes: 65_535 },
  { outputHighWaterBytes: 65_536, streamHighWaterBytes: 1_000, initialStreamWindowBytes: 200_000 },
  { maxConcurrentStreams: 3, headerTableBytes: 0, maxHeaderListBytes: 400, maxContinuations: 1 },
  { maxHeaderListBytes: 256, maxHeaderBlockBytes: 1_500, headerTableBytes: 200 },
  {
    initialStreamWindowBytes: 1_000,
    connectionWindowBytes: 65_535,
    maxStreamWindowBytes: 1_200,
    maxConnectionWindowBytes: 70_000,
  },
  { initialStreamWindowBytes: 20_000, maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 },
  { maxFrameBytes: 40_000, headerTableBytes: 65_536, maxSettingsEntries: 6, maxTinyDataFrames: 2 },
];
/** Octets beyond which feeding them one by one costs more than it finds. */
const MAX_BYTEWISE_OCTETS = 3_000;

/** How the octets of a step reach the core. */
type Chunks = (octets: Buffer) => Iterable<Buffer>;
const WHOLE: Chunks = (octets) => [octets];

export interface Plan {
  readonly role: Role;
  readonly options: Http2Options;
  readonly script: readonly Step[];
  /** Of the layer above. */
  readonly seed: number;
}

/** What can be seen of a run from outside. */
interface Outcome {
  readonly events: readonly string[];
  readonly sent: string;
  readonly fault: string | undefined;
  readonly hasGrown: boolean;
}

function start(bug?: string): FuzzRun {
  const core = loadCore(BUGS, bug);
  const map = new TransitionMap();
  const reached = { clean: 0, closed: 0, "with grown windows": 0 };
  return {
    execute(seed) {
      const random = new Random(seed);
      const plan = randomPlan(random, seed);
      const whole = new Run(core, plan, map).play(WHOLE);
      if (whole.fault === undefined) reached.clean++;
      else reached.closed++;
      if (whole.hasGrown) reached["with grown windows"]++;
      if (!random.oneIn(3)) return;
      const octets = plan.script.reduce((sum, step) => sum + (step.kind === "receive" ? step.octets.length : 0), 0);
      const bytewise = octets <= MAX_BYTEWISE_OCTETS;
      const cut = new Run(core, plan, map).play((chunk) => chunksOf(random, chunk, bytewise));
      assert.deepEqual(cut, whole, bytewise ? "octet by octet it is another connection" : "chunks change what happens");
    },
    reached: () => ({ ...reached, [`transitions of ${ALL_TRANSITIONS}`]: map.reached }),
  };
}

function randomPlan(random: Random, seed: number): Plan {
  const options = random.pick(OPTIONS);
  if (CORPUS.length > 0 && random.oneIn(16)) {
    const { role, octets } = random.pick(CORPUS);
    return {
      role,
      options,
      seed,
      script: [{ kind: "receive", octets }, ...new Session(random, role).script().slice(1)],
    };
  }
  const role = random.pick(["server", "client"] as const);
  return { role, options, seed, script: new Session(random, role).script() };
}

/** One connection from its first octet to its end. */
export class Run {
  private readonly under: CoreUnderTest;
  private readonly application: Application;
  private readonly output: OutputRules;
  private readonly plan: Plan;
  private readonly sent: string[] = [];
  private hasGrown = false;

  constructor(core: Core, plan: Plan, map: TransitionMap) {
    this.plan = plan;
    this.under = new core.pair.CoreUnderTest(plan.role, plan.options);
    const { http2, sink } = this.under;
    this.application = new Application(core, plan.role, http2, new Random(plan.seed), map);
    this.output = new OutputRules(new core.factory.FrameTrace());
    sink.react = this.application.sink;
    const inner = http2.onFrame.bind(http2);
    http2.onFrame = (bytes, start, length, type, flags, streamId) => {
      map.receives(http2, type, flags, streamId);
      this.output.peerSends(bytes, start, length, type, streamId);
      return inner(bytes, start, length, type, flags, streamId);
    };
  }

  play(chunks: Chunks): Outcome {
    for (const step of this.plan.script) {
      this.perform(step, chunks);
      this.check();
    }
    const fault = this.under.http2.fault?.cause;
    return { events: this.finish(), sent: this.sent.join("\n"), fault, hasGrown: this.hasGrown };
  }

  private perform(step: Step, chunks: Chunks): void {
    const { http2, clock } = this.under;
    switch (step.kind) {
      case "receive":
        // As a driver does: while reading pauses nothing is read, and then the socket takes what waits.
        if (!http2.mayRead) this.take();
        if (!http2.mayRead) return;
        for (const chunk of chunks(step.octets)) http2.receive(chunk, clock.nowMs);
        return;
      case "act":
        this.application.act();
        return;
      case "open":
        this.application.open();
        return;
      case "take":
        this.take();
        return;
      case "time":
        this.under.advance(step.ms);
        return;
      case "drain":
        if (this.plan.role === "server") http2.beginDrain(clock.nowMs);
    }
  }

  private take(): void {
    const octets = this.under.sentBytes();
    this.sent.push(octets.toString("hex"));
    this.output.coreSends(octets);
  }

  private check(): void {
    const { http2 } = this.under;
    const { options } = partsOf(http2);
    assertLedger(http2);
    assertWithinOptions(this.plan.role, options, http2, LARGEST_WRITE);
    if (grownStreamWindow(http2) > options.initialStreamWindowBytes) this.hasGrown = true;
    for (const stream of http2.streams()) {
      const owed = this.application.owedOf(stream);
      assert.ok(stream.receiveWindow.held === owed || http2.isClosed, `stream ${stream.id} holds more than is owed`);
    }
  }

  /** The layer above lets go of everything: nothing may be left. */
  private finish(): string[] {
    const { under, application } = this;
    const { http2 } = under;
    application.consumeAll();
    for (const stream of [...http2.streams()]) application.reset(stream);
    for (let octets = -1; octets !== this.sent.length && partsOf(http2).output.length > 0; ) {
      octets = this.sent.length;
      this.take();
    }
    this.take();
    if (!http2.isClosed) {
      assert.equal(http2.streamCount, 0, "a stream is left");
      assert.equal(http2.windows.held, 0, "octets are held for nobody");
      assert.ok(partsOf(http2).scheduler.isEmpty, "the scheduler waits for a stream that is gone");
      assertLedger(http2);
      http2.close();
    }
    const events = under.sink.take();
    assert.ok(application.isClosed, "the end is not reported");
    for (const stream of application.streams) http2.releaseSlot(stream);
    http2.receive(Buffer.from("000000040000000000", "hex"), under.clock.nowMs);
    http2.handleTimeout(under.clock.nowMs + 1e9);
    assert.equal(http2.nextTimeout(), Number.POSITIVE_INFINITY, "a timer outlives the connection");
    assert.deepEqual(under.sink.take(), [], "something is reported after the end");
    this.take();
    assert.equal(partsOf(http2).output.length, 0, "output grows after the end");
    return events;
  }
}
