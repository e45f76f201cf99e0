// Owns: what `node:test` is while names are collected: tests are written down and not run, suites are entered.

export const names: string[] = [];
const suites: string[] = [];

type Arguments = readonly (string | object | (() => unknown))[];

export function test(name: string): void {
  // A suite such as "encode and decode" is the subject of the sentence that its test goes on with.
  names.push([...suites, name].join(": "));
}

export function describe(...args: Arguments): void {
  const body = args.find((argument) => typeof argument === "function");
  suites.push(String(args[0]));
  (body as (() => unknown) | undefined)?.();
  suites.pop();
}

const nothing = (): void => undefined;
export const it = test;
export const suite = describe;
export const before = nothing;
export const after = nothing;
export const beforeEach = nothing;
export const afterEach = nothing;
export default test;
