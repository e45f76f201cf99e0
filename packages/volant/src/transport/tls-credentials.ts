/**
 * Certificates that can be replaced while connections live. Owns the current ones and their reloading; whoever uses them
 * (listeners, channels) is told of each change. New handshakes use the new ones, connections that are there go on.
 *
 * Invariant: what is current has been checked as a whole. An update that is refused changes nothing.
 */
import { checkOptions, describeGiven, type OptionTable } from "../rpc/option-names.ts";
import { clearInterval, setInterval } from "./time.ts";
import { resolveTlsMaterial, TLS_MATERIAL_OPTIONS, type TlsMaterial, type TlsMaterialOptions } from "./tls-material.ts";

export interface TlsReloadOptions {
  /** How often `load` is asked again. Default: only when `reload()` is called. */
  readonly reloadIntervalMs?: number;
  /** What `load` throws, and what is wrong with what it gave; the certificates stay. Default: written to stderr. */
  readonly onError?: (error: unknown) => void;
}

const RELOAD_OPTIONS = { reloadIntervalMs: true, onError: "function" } as const satisfies OptionTable<TlsReloadOptions>;

/** Where certificates come from: files, a secret store. */
export type TlsLoader = () => TlsMaterialOptions | Promise<TlsMaterialOptions>;

const BRAND: unique symbol = Symbol.for("volant.TlsCredentials") as never;

/** The longest that Node's timers take. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/**
 * For `tls: { credentials }` of any number of listeners and channels. The private fields are out of reach of whatever
 * prints objects into a log.
 */
export class TlsCredentials {
  /** Also for one of another copy of the package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  #material: TlsMaterial;
  #given: TlsMaterialOptions;
  readonly #users = new Set<() => void>();
  #load: TlsLoader | undefined;
  #onError: (error: unknown) => void = writeToStderr;
  #timer: NodeJS.Timeout | undefined;
  #loading: Promise<boolean> | undefined;

  /** Throws TypeError naming the option and what is wrong with it. */
  constructor(options: TlsMaterialOptions) {
    this.#material = resolveTlsMaterial(options);
    this.#given = options;
  }

  /**
   * Loads certificates now, and again every `reloadIntervalMs` or at `reload()`. Rejects with what `load` throws, or with
   * TypeError for what is wrong with the first ones; later failures go to `onError`. The timer keeps no process alive.
   */
  static async load(load: TlsLoader, options: TlsReloadOptions = {}): Promise<TlsCredentials> {
    if (typeof load !== "function") {
      throw new TypeError(
        `TlsCredentials.load(): ${describeGiven(load)} given; it takes a function that returns { cert, key, ca }`,
      );
    }
    checkOptions("TlsCredentials.load()", options, RELOAD_OPTIONS);
    const { reloadIntervalMs, onError } = options;
    if (reloadIntervalMs !== undefined && !(reloadIntervalMs >= 1 && reloadIntervalMs <= LONGEST_TIMER_MS)) {
      const range = `a number from 1 to ${LONGEST_TIMER_MS} is allowed`;
      throw new RangeError(`reloadIntervalMs: ${String(reloadIntervalMs)} given, ${range}`);
    }
    const credentials = new TlsCredentials(await load());
    credentials.#load = load;
    if (onError !== undefined) credentials.#onError = onError;
    if (reloadIntervalMs !== undefined) {
      credentials.#timer = setInterval(() => void credentials.reload(), reloadIntervalMs).unref();
    }
    return credentials;
  }

  /**
   * Replaces what is given and keeps the rest; a certificate comes with its key. Throws TypeError as the constructor does,
   * and then everything stays as it was.
   */
  update(options: TlsMaterialOptions): void {
    checkOptions("TlsCredentials.update()", options ?? null, TLS_MATERIAL_OPTIONS);
    const isPair = options.cert !== undefined || options.key !== undefined;
    const kept = isPair ? (this.#given.ca === undefined ? {} : { ca: this.#given.ca }) : this.#given;
    const given = { ...kept, ...options };
    const material = resolveTlsMaterial(given);
    if (isSame(material, this.#material)) return;
    this.#given = given;
    this.#material = material;
    for (const onUpdated of this.#users) onUpdated();
  }

  /**
   * Asks `load` again; once at a time. True: there are new certificates. Never rejects: failures go to `onError`, and the
   * certificates stay. Without a loader there is nothing to do.
   */
  reload(): Promise<boolean> {
    const load = this.#load;
    if (load === undefined) return Promise.resolve(false);
    this.#loading ??= this.#reloadFrom(load).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Ends reloading. What uses the certificates goes on with those there are. */
  close(): void {
    clearInterval(this.#timer);
    this.#load = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Internal: what handshakes use now. */
  get current(): TlsMaterial {
    return this.#material;
  }

  /** Internal: `listener` is called after each change; the result ends that. */
  onUpdated(listener: () => void): () => void {
    this.#users.add(listener);
    return () => this.#users.delete(listener);
  }

  async #reloadFrom(load: TlsLoader): Promise<boolean> {
    const before = this.#material;
    try {
      const loaded = await load();
      if (this.#load !== undefined) this.update(loaded);
    } catch (error) {
      report(this.#onError, error);
    }
    return this.#material !== before;
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca && a.passphrase === b.passphrase;
}

function report(onError: (error: unknown) => void, error: unknown): void {
  try {
    onError(error);
  } catch (failure) {
    process.stderr.write(`volant: onError itself failed: ${String(failure)}\n`);
  }
}

function writeToStderr(error: unknown): void {
  const what = (error as Partial<Error> | undefined)?.message ?? String(error);
  process.stderr.write(`volant: TLS certificates were not reloaded, the old ones stay: ${what}\n`);
}
