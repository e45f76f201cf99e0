// Preloaded into a server under test (`--import`, with `--expose-gc`): on SIGUSR2 it collects its garbage and prints
// `collected` with what process.memoryUsage() says, so that its resident memory says what it holds and not when V8 last felt like collecting.

const { gc } = globalThis;
if (gc === undefined) throw new Error("start this Node with --expose-gc");

process.on("SIGUSR2", () => {
  // What finalizers release goes with the second collection.
  gc();
  setImmediate(() => {
    gc();
    console.log(`collected ${JSON.stringify(process.memoryUsage())}`);
  });
});
