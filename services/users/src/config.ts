/**
 * What the environment says. Owns the list of variables (`OPTIONS`: names, defaults, what is allowed) and nothing that
 * uses them; types, checks and the texts of errors follow from that list.
 *
 * Invariants: a wrong value is never replaced by a default; a secret's value is never shown. An empty variable counts as
 * not set, since that is how compose files and shells spell it.
 */

import { LOG_LEVELS } from "./log.ts";

interface IntegerOption {
  readonly kind: "integer";
  readonly min: number;
  readonly max: number;
  readonly note?: string;
}

interface ChoiceOption {
  readonly kind: "choice";
  readonly choices: readonly string[];
}

interface TextOption {
  readonly kind: "text";
  /** The whole value must match. */
  readonly pattern: RegExp;
  readonly allowed: string;
  readonly isSecret?: true;
}

type Option = (IntegerOption | ChoiceOption | TextOption) & {
  /** Left out: the variable may stay unset. */
  readonly fallback?: string | number;
  readonly about: string;
};

const FILE = { kind: "text", pattern: /^[^\0]{1,4096}$/, allowed: "the name of a file" } as const;

export const OPTIONS = {
  HOST: {
    kind: "text",
    pattern: /^[A-Za-z0-9.:_-]+$/,
    allowed: "a host name or an IP address",
    fallback: "0.0.0.0",
    about: "address to listen on",
  },
  GRPC_PORT: {
    kind: "integer",
    min: 0,
    max: 65_535,
    note: "0 picks a free port",
    fallback: 50_051,
    about: "port of the gRPC server",
  },
  DATABASE_URL: {
    kind: "text",
    pattern: /^(?:memory:\/\/|(?:postgres|postgresql|file):\/\/\S+)$/,
    allowed: "postgres://user:password@host:5432/database (or postgresql://), file:///folder or memory://",
    isSecret: true,
    about: "where users are stored; not set: PGlite in the folder .data/users",
  },
  DATABASE_POOL_MAX: {
    kind: "integer",
    min: 1,
    max: 1000,
    fallback: 10,
    about: "connections to Postgres, at most",
  },
  LOG_LEVEL: { kind: "choice", choices: LOG_LEVELS, fallback: "info", about: "the least important entries to log" },
  SHUTDOWN_GRACE_MS: {
    kind: "integer",
    min: 0,
    max: 600_000,
    note: "milliseconds",
    fallback: 20_000,
    about:
      "how long calls may go on after SIGTERM or SIGINT; the storage gets what they leave of it to end its work, and a second at least",
  },
  MAX_CONNECTION_AGE_MS: {
    kind: "integer",
    min: 1000,
    max: 2 ** 31 - 1,
    note: "milliseconds",
    about: "how long a connection may live, so that clients spread over new replicas; not set: for ever",
  },
  KEEPALIVE_TIME_MS: {
    kind: "integer",
    min: 1000,
    max: 2 ** 31 - 1,
    note: "milliseconds",
    fallback: 7_200_000,
    about: "how long a connection may be silent before it is probed",
  },
  KEEPALIVE_TIMEOUT_MS: {
    kind: "integer",
    min: 100,
    max: 2 ** 31 - 1,
    note: "milliseconds",
    fallback: 20_000,
    about: "how long a probe may go unanswered before its connection is closed",
  },
  KEEPALIVE_MIN_TIME_MS: {
    kind: "integer",
    min: 0,
    max: 2 ** 31 - 1,
    note: "milliseconds",
    fallback: 300_000,
    about:
      "how far apart the PINGs of a client or proxy must be while nothing else happens; a connection that sends them sooner is closed",
  },
  KEEPALIVE_PERMIT_WITHOUT_CALLS: {
    kind: "choice",
    choices: ["on", "off"],
    fallback: "off",
    about: "the same distance is enough on a connection without calls, where it is two hours otherwise; one of on, off",
  },
  TLS_CERT_FILE: {
    ...FILE,
    about: "certificate of this server and those between it and its CA, PEM; not set: no TLS",
  },
  TLS_KEY_FILE: { ...FILE, about: "private key of TLS_CERT_FILE, PEM; needed with it" },
  TLS_CA_FILE: {
    ...FILE,
    about: "CAs of clients' certificates, PEM; set: clients without such a certificate are refused",
  },
  REFLECTION: {
    kind: "choice",
    choices: ["on", "off"],
    fallback: "on",
    about: "tools may ask for the services and their messages; one of on, off",
  },
  MAX_RECEIVE_MESSAGE_BYTES: {
    kind: "integer",
    min: 1024,
    max: 2 ** 31 - 1,
    note: "bytes",
    fallback: 4 * 1024 * 1024,
    about: "the largest message that is accepted",
  },
  NODE_ENV: {
    kind: "text",
    pattern: /^[A-Za-z0-9_-]+$/,
    allowed: "a word such as production or development",
    fallback: "development",
    about: "production: warn about what only development should rely on",
  },
  PAGE_TOKEN_SECRET: {
    kind: "text",
    pattern: /^[\s\S]{16,}$/,
    allowed: "16 characters or more",
    isSecret: true,
    about: "key that signs page tokens, the same in every replica; not set: a random one of this process",
  },
  CHAT_MAX_ROOMS: { kind: "integer", min: 1, max: 10_000, fallback: 100, about: "rooms a UserChat stream may be in" },
  CHAT_MAX_CONTENT_BYTES: {
    kind: "integer",
    min: 1,
    max: 1024 * 1024,
    note: "bytes",
    fallback: 16 * 1024,
    about: "the longest content of a chat message",
  },
  CHAT_QUEUE_MESSAGES: {
    kind: "integer",
    min: 1,
    max: 100_000,
    fallback: 1000,
    about: "chat messages that may wait for a slow reader before its stream is cut",
  },
  CHAT_QUEUE_BYTES: {
    kind: "integer",
    min: 1024,
    max: 1024 * 1024 * 1024,
    note: "bytes",
    fallback: 1024 * 1024,
    about: "bytes of chat messages that may wait for a slow reader before its stream is cut",
  },
  CHAT_TOTAL_QUEUE_BYTES: {
    kind: "integer",
    min: 1024,
    max: 2 ** 31 - 1,
    note: "bytes",
    fallback: 64 * 1024 * 1024,
    about:
      "bytes that all UserChat streams may hold: messages for readers, and a KiB for each room of a stream; a client alone may have a third, and less where others hold much",
  },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof OPTIONS;

type ValueOf<O extends Option> = O extends { kind: "integer" }
  ? number
  : O extends { choices: readonly (infer Choice)[] }
    ? Choice
    : string;

/** The checked environment, keyed by the variables' names. */
export type Config = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends { fallback: string | number }
    ? ValueOf<(typeof OPTIONS)[Name]>
    : ValueOf<(typeof OPTIONS)[Name]> | undefined;
};

/** One line: each wrong variable, what was given, what is allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Throws ConfigError. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const values = Object.entries<Option>(OPTIONS).map(([name, option]) => {
    const given = env[name];
    if (given === undefined || given === "") return [name, option.fallback];
    const value = parse(option, given);
    if (value === undefined) faults.push(`${name} must be ${allowedBy(option)}, not ${shown(option, given)}`);
    return [name, value];
  });
  const config = Object.freeze(Object.fromEntries(values) as Config);
  faults.push(...findContradictions(config));
  if (faults.length > 0) throw new ConfigError(faults.join("; "));
  return config;
}

/** What is right by itself and not together. */
function findContradictions({ TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE }: Config): string[] {
  const given = { TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE };
  if (Object.values(given).every((value) => value === undefined)) return [];
  return (["TLS_CERT_FILE", "TLS_KEY_FILE"] as const)
    .filter((name) => given[name] === undefined)
    .map((name) => {
      const others = Object.keys(given).filter((other) => given[other as keyof typeof given] !== undefined);
      return `${name} must be set where ${others.join(" and ")} is`;
    });
}

function parse(option: Option, given: string): string | number | undefined {
  switch (option.kind) {
    case "integer": {
      // Number() would take "0x10", "1e3" and " 7 ".
      const value = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
      return value >= option.min && value <= option.max ? value : undefined;
    }
    case "choice":
      return option.choices.includes(given) ? given : undefined;
    case "text":
      return option.pattern.test(given) ? given : undefined;
  }
}

function allowedBy(option: Option): string {
  switch (option.kind) {
    case "integer":
      return `an integer from ${option.min} to ${option.max}${option.note === undefined ? "" : ` (${option.note})`}`;
    case "choice":
      return `one of ${option.choices.join(", ")}`;
    case "text":
      return option.allowed;
  }
}

function shown(option: Option, given: string): string {
  if (option.kind === "text" && option.isSecret) return `what was given (${given.length} characters, not shown)`;
  return given.length <= 80 ? JSON.stringify(given) : `${JSON.stringify(given.slice(0, 80))}…`;
}
