/**
 * The name that somebody probably meant. Owns what near is: few letters to change, whatever the case, or a part of the name.
 */

/** A name further away than this share of its length is another word. */
const LARGEST_DISTANCE = 0.4;
/** A longer name is no misspelt one, and comparing takes the product of two lengths. */
const LONGEST_NAME = 100;

/** The one of `names` that is nearest to `name`, or part of it, or has it as a part; undefined where there is none. */
export function nearestOf(name: string, names: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  let nearest: string | undefined;
  let least = Math.max(2, name.length * LARGEST_DISTANCE);
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance > least || (distance === least && nearest !== undefined)) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest ?? names.find((candidate) => isPartOf(name, candidate) || isPartOf(candidate, name));
}

/** "cert" is part of "certificate"; a shorter part would be one by chance. */
function isPartOf(part: string, whole: string): boolean {
  return part.length >= 4 && whole.toLowerCase().includes(part.toLowerCase());
}

/** Levenshtein: insertions, deletions and replacements that make one of the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
