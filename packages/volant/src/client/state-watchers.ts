/**
 * Those who watch a channel's state. Owns the order: everybody hears of every change, and of each before the next, also
 * when a watcher itself causes one.
 */
import type { ConnectivityState } from "./connectivity.ts";

type Watcher = { readonly listener: (state: ConnectivityState) => void };

export class StateWatchers {
  private readonly watchers = new Set<Watcher>();
  private readonly untold: ConnectivityState[] = [];
  private isTelling = false;
  private readonly onError: (error: unknown) => void;

  /** `onError` hears what watchers throw. */
  constructor(onError: (error: unknown) => void) {
    this.onError = onError;
  }

  /** The result ends it. */
  add(listener: (state: ConnectivityState) => void): () => void {
    const watcher = { listener };
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  tell(state: ConnectivityState): void {
    this.untold.push(state);
    if (this.isTelling) return;
    this.isTelling = true;
    for (let next = this.untold.shift(); next !== undefined; next = this.untold.shift()) this.tellAll(next);
    this.isTelling = false;
  }

  private tellAll(state: ConnectivityState): void {
    for (const { listener } of this.watchers) {
      try {
        listener(state);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
