// Preloaded into a server under test (`--import`, with `--expose-gc`): told to, it collects its garbage and prints `collected` with what
// process.memoryUsage() says, so that its resident memory says what it holds and not when V8 last felt like collecting. On SIGUSR2 V8
// keeps the pages that it emptied, as it does in ordinary work; on SIGHUP it gives them back, as it does when memory is short.

const { gc } = globalThis;
if (gc === undefined) throw new Error("start this Node with --expose-gc");

collectOn("SIGUSR2", "regular");
collectOn("SIGHUP", "last-resort");

function collectOn(signal: NodeJS.Signals, flavor: "regular" | "last-resort"): void {
  const collect = (): void => gc!({ type: "major", execution: "sync", flavor });
  process.on(signal, () => {
    // What finalizers release goes with the second collection.
    collect();
    setImmediate(() => {
      collect();
      console.log(`collected ${JSON.stringify(process.memoryUsage())}`);
    });
  });
}
