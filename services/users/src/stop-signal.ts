/**
 * SIGTERM and SIGINT: the first asks for a graceful stop, a second one forces the exit, since whoever sends it no longer
 * wants to wait. Owns the process's handlers of both signals and nothing else.
 */

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
export type StopSignalName = (typeof SIGNALS)[number];

export interface StopSignal {
  readonly received: Promise<StopSignalName>;
  readonly isReceived: boolean;
}

export interface SignalSource {
  on(name: StopSignalName, listener: () => void): unknown;
}

/** `forceExit` is called for every signal but the first. */
export function listenForStop(source: SignalSource, forceExit: (name: StopSignalName) => void): StopSignal {
  const { promise, resolve } = Promise.withResolvers<StopSignalName>();
  let isReceived = false;
  for (const name of SIGNALS) {
    source.on(name, () => {
      if (isReceived) forceExit(name);
      isReceived = true;
      resolve(name);
    });
  }
  return {
    received: promise,
    get isReceived() {
      return isReceived;
    },
  };
}
