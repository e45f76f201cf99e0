/**
 * State that belongs to the process and not to one copy of the package: two versions in one dependency tree, or an ES module
 * and a bundled copy, share the ambient call and the memory budgets, or each would allow what the process allows once.
 *
 * Owns the place where it is kept: a property of the global object, under a registered symbol. The number in its key changes
 * whenever the shape of something kept there changes, so that copies that do not understand each other do not share.
 */
const KEY: unique symbol = Symbol.for("volant.process-state.1") as never;

type Holder = { [KEY]?: Map<string, unknown> };

/** The state called `name`, made by the first copy that asks for it. */
export function processState<T>(name: string, create: () => T): T {
  const holder = globalThis as Holder;
  if (holder[KEY] === undefined) {
    // Not enumerable: test runners that look for leaked globals, and people who print them, have no use for it.
    Object.defineProperty(holder, KEY, { value: new Map() });
  }
  const states = holder[KEY]!;
  if (!states.has(name)) states.set(name, create());
  return states.get(name) as T;
}
