// Owns: where the HTTP/2 core ends a connection, ends a stream or enforces a limit, and the edit that disables each.
// Must not know: how a mutant is run (mutate-run.ts).
// Invariant: an edit keeps every side effect of a condition; it takes away only what follows from it.

export interface MutationSite {
  /** `guard`: an `if` before a fault. `call`: a fault that is raised. `limit`: a comparison that is returned. */
  readonly kind: "guard" | "call" | "limit" | "verdict";
  /** 1-based. */
  readonly line: number;
  /** A test can only notice if it comes by here: an offset into the source. */
  readonly coveredAt: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** The code that is disabled, on one line. */
  readonly shown: string;
}

/** `becomes` makes the replacement from the text at the site. */
interface Found extends Omit<MutationSite, "line" | "shown" | "replacement"> {
  readonly becomes: (text: string) => string;
}

interface Guard extends Found {
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/** Comments, texts and regular expressions: code is only looked for around them. */
const OPAQUE =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|(?<=[(=!&|?:,]\s*|return )\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;
const FAULT_CALL = /(?:\bthis|\bparts|\bthis\.parts)\.#?(?:fail\w*|refuse|refuseOversized|writeReset|charge|reset)\(/g;
const RAISES = /\.#?(?:fail\w*|refuse\w*|writeReset|charge|dropStalled|close)\(/;
/** A verdict is named in capitals: a fault constant, MALFORMED, INTEGER_TOO_LARGE. */
const RETURNS_VERDICT = /^\{?\s*return -?[A-Z][A-Z0-9]*_?[A-Z0-9_]{2,};?\s*\}?$/;
const LIMIT = /(?:\bmax[A-Z]|\bMAX_|\boptions\.|\bmost\b|[lL]imit\b|HighWater)/;
const COMPARES = /[^=<>-](?:<=?|>=?)[^<>=]/;

/** Every site of a source, in order. */
export function findMutationSites(source: string): MutationSite[] {
  const code = source.replace(OPAQUE, (text) => text.replace(/[^\n]/g, " "));
  const guards = findGuards(code);
  const isGuarded = (at: number): boolean => guards.some(({ bodyStart, bodyEnd }) => at >= bodyStart && at < bodyEnd);
  const others = [...findCalls(code), ...findVerdicts(code), ...findLimits(code)].filter(
    ({ start }) => !isGuarded(start),
  );
  return [...guards, ...others]
    .sort((one, other) => one.start - other.start)
    .map(({ kind, coveredAt, start, end, becomes }) => {
      const text = source.slice(start, end);
      const line = source.slice(0, start).split("\n").length;
      return { kind, line, coveredAt, start, end, replacement: becomes(text), shown: text.replace(/\s+/g, " ") };
    });
}

/** The source with that site disabled. */
export function disable(source: string, { start, end, replacement }: MutationSite): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/**
 * `if (condition) fault` becomes `if ((condition) && false) fault`; a limit that lets something through, `if (count < most)`,
 * lets it through always.
 */
function findGuards(code: string): Guard[] {
  const guards: Guard[] = [];
  for (const match of code.matchAll(/\bif \(/g)) {
    const open = match.index + 3;
    const close = matchingEnd(code, open);
    const condition = code.slice(open + 1, close);
    const bodyStart = close + 1 + code.slice(close + 1).search(/\S/);
    const bodyEnd = statementEnd(code, bodyStart);
    const body = code.slice(bodyStart, bodyEnd).trim();
    const isLimit = LIMIT.test(condition) && COMPARES.test(condition);
    const isFault = RAISES.test(body) || RETURNS_VERDICT.test(body);
    if (!isFault && !isLimit) continue;
    const lets = !isFault && !/[^=]>/.test(condition);
    const becomes = (text: string): string => (lets ? `(${text} || true)` : `(${text} && false)`);
    // What lets through is noticed where it did not: at the condition itself.
    const coveredAt = lets ? match.index : bodyStart;
    guards.push({ kind: "guard", coveredAt, bodyStart, bodyEnd, start: open, end: close + 1, becomes });
  }
  // The innermost one decides about a fault; what only leads to it is no branch of its own.
  return guards.filter((one) => !guards.some((other) => other.start > one.bodyStart && other.bodyEnd <= one.bodyEnd));
}

/** A fault outside such an `if`: as a value it becomes `true` (reading goes on), as a statement nothing. */
function findCalls(code: string): Found[] {
  return Array.from(code.matchAll(FAULT_CALL), (match): Found => {
    const end = matchingEnd(code, match.index + match[0].length - 1) + 1;
    const isStatement = /[;{}]\s*$/.test(code.slice(0, match.index)) && code[end] === ";";
    const becomes = (): string => (isStatement ? "void 0" : "true");
    return { kind: "call", coveredAt: match.index, start: match.index, end, becomes };
  }).filter(({ start, end }) => !/\((?:fault|error)\)$/.test(code.slice(start, end)));
}

/** `return condition ? FAULT : undefined` finds no fault. */
function findVerdicts(code: string): Found[] {
  return Array.from(
    code.matchAll(/[?:] ((?!\w+_BYTES)[A-Z][A-Z0-9]*_[A-Z0-9_]+|MALFORMED)\b(?=[ ;])/g),
    (match): Found => {
      const start = match.index + 2;
      return { kind: "verdict", coveredAt: start, start, end: start + match[1]!.length, becomes: () => "undefined" };
    },
  ).filter(({ start }) => /\breturn\b[^;{}]*$/.test(code.slice(0, start)));
}

/** `return used <= limit` becomes `return (used <= limit) || true`. */
function findLimits(code: string): Found[] {
  return Array.from(code.matchAll(/\breturn ([^;{}]+);/g), (match): Found => {
    const start = match.index + "return ".length;
    const end = start + match[1]!.length;
    return { kind: "limit", coveredAt: match.index, start, end, becomes: (text) => `((${text}) || true)` };
  }).filter(({ start, end }) => {
    const text = code.slice(start, end);
    return LIMIT.test(text) && COMPARES.test(text) && !/[?:]|Math\./.test(text) && !text.includes("fail");
  });
}

/** The offset of the bracket that closes the one at `open`. */
function matchingEnd(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if ("([{".includes(code[at]!)) depth++;
    else if (")]}".includes(code[at]!) && --depth === 0) return at;
  }
  throw new Error(`the bracket at offset ${open} is never closed`);
}

function statementEnd(code: string, from: number): number {
  if (code[from] === "{") return matchingEnd(code, from) + 1;
  for (let at = from; at < code.length; at++) {
    if ("([{".includes(code[at]!)) at = matchingEnd(code, at);
    else if (code[at] === ";") return at + 1;
  }
  return code.length;
}
