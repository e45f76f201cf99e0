/**
 * What a peer may do for nothing, as data: the budgets, what each act costs, and what is done when a budget is spent.
 * Owns these two tables; `docs/limits.md` and the options' defaults follow them. RFC 9113 §10.5.
 *
 * Order of defence: new streams are refused, then reading pauses until the budget has grown back, and only a debt as
 * large as the burst ends the connection with ENHANCE_YOUR_CALM and `<cause>-flood` as debug data. A driver that pauses
 * when told to hardly ever gets there: the flood is slowed down to the rate of its budget by TCP.
 *
 * Every budget also grows by one for each call that completed normally, so whoever does real work has more room. A request
 * that was rejected is no such call.
 */

/** `refuse`: new streams get REFUSED_STREAM. `pause`: reading stops for a while. `close`: the connection ends. */
export type WhenSpent = "refuse" | "pause" | "close";

interface BudgetPolicy {
  /** Names of the two options. */
  readonly burst: string;
  readonly perSecond: string;
  readonly whenSpent: WhenSpent;
}

export const ABUSE_BUDGETS = {
  resets: { burst: "resetBurst", perSecond: "resetsPerSecond", whenSpent: "refuse" },
  refusals: { burst: "refusalBurst", perSecond: "refusalsPerSecond", whenSpent: "pause" },
  glitches: { burst: "glitchBurst", perSecond: "glitchesPerSecond", whenSpent: "pause" },
  // Never a pause: two peers that both stopped reading for the other's WINDOW_UPDATEs would wait for ever.
  windowUpdates: { burst: "windowUpdateBurst", perSecond: "windowUpdatesPerSecond", whenSpent: "close" },
} as const satisfies Record<string, BudgetPolicy>;

export type BudgetName = keyof typeof ABUSE_BUDGETS;

type Costs = readonly (readonly [BudgetName, number])[];

const GLITCH: Costs = [["glitches", 1]];
/** Honest peers do these a few times in the life of a connection. */
const TEN_GLITCHES: Costs = [["glitches", 10]];
const REFUSAL: Costs = [["refusals", 1]];

/** A stream that the peer made us reset. It is a reset like one of its own, and a broken rule too (CVE-2025-8671). */
export const STREAM_ERROR_COSTS: Costs = [
  ["glitches", 10],
  ["resets", 1],
];

/** What is charged besides stream errors. PING is not here: bandwidth estimators honestly send one each round trip. */
export const CHARGES: ReadonlyMap<string, Costs> = new Map<string, Costs>([
  ["reset-by-peer", [["resets", 1]]],
  ["too-many-streams", REFUSAL],
  ["handlers-busy", REFUSAL],
  ["reset-budget-spent", REFUSAL],
  ["orphaned-handlers", REFUSAL],
  // Of an unknown method, or no request of the protocol above: answered with a few fields, and no handler pays for it.
  ["request-rejected", REFUSAL],
  ["window-update", [["windowUpdates", 1]]],
  ["unknown-frame", GLITCH],
  ["priority", GLITCH],
  ["tiny-data", GLITCH],
  ["late-headers", GLITCH],
  ["informational-response", GLITCH],
  // An honest client with too much metadata repeats itself; the one stream is refused and costs little.
  ["header-list-too-large", GLITCH],
  // A frame of a block that is far beyond the limit: as much work as one that holds a list that is too large.
  ["oversized-header-block", GLITCH],
  ["empty-data", TEN_GLITCHES],
  ["empty-header-fragment", TEN_GLITCHES],
  ["settings", TEN_GLITCHES],
  ["goaway", TEN_GLITCHES],
]);

/**
 * DATA frames below this carry more overhead than content. One that we sent because a narrow window cut it short earns
 * WINDOW_UPDATEs in proportion only, or a window that opens by an octet at a time would pay for itself.
 */
export const TINY_DATA_BYTES = 256;

/** DATA frames below this hold less than the prefix of a message has, and half of their own header: they count as several. */
export const SHRED_BYTES = 5;
export const TINY_FRAMES_A_SHRED = 4;

/** Free WINDOW_UPDATEs: one, and for each stream and each DATA frame sent. */
export const WINDOW_UPDATES_PER_STREAM = 2;
export const WINDOW_UPDATES_PER_DATA = 20;
/** Free PRIORITY frames for each stream, and once for the connection. Nobody acts on them: RFC 9113 §5.3.2. */
export const PRIORITIES_PER_STREAM = 100;
/** Of either of these, so many can be saved up. */
export const MAX_ALLOWANCE = 10_000;
