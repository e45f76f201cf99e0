/**
 * TLS from the files that the environment names. Owns reading them, again every minute too, and telling an operator which
 * variable is wrong; what a certificate must be is the library's.
 */
import { readFile } from "node:fs/promises";
import { type ServerTlsOptions, TlsCredentials } from "volant";
import { type Config, ConfigError } from "./config.ts";

type TlsVariable = "TLS_CERT_FILE" | "TLS_KEY_FILE" | "TLS_CA_FILE";

/** What Kubernetes takes to renew a mounted secret, more or less. */
const RELOAD_MS = 60_000;

/** The library's name of what is wrong, and the variable it came from. */
const VARIABLES: readonly (readonly [option: string, variable: TlsVariable])[] = [
  ["tls.cert", "TLS_CERT_FILE"],
  ["tls.key", "TLS_KEY_FILE"],
  ["tls.ca", "TLS_CA_FILE"],
];

/** Undefined without TLS_CERT_FILE. Rejects with ConfigError. `onError` gets what is wrong with files read again later. */
export async function loadTls(
  config: Config,
  onError: (error: unknown) => void,
): Promise<ServerTlsOptions | undefined> {
  if (config.TLS_CERT_FILE === undefined) return undefined;
  const load = async () => {
    const [cert, key, ca] = await Promise.all(VARIABLES.map(([, variable]) => read(config, variable)));
    // An empty file is a mistake to tell of and not a variable that is not set.
    return {
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(ca !== undefined && { ca }),
    };
  };
  try {
    const credentials = await TlsCredentials.load(load, { reloadIntervalMs: RELOAD_MS, onError });
    return { credentials, requestClientCert: config.TLS_CA_FILE === undefined ? "none" : "require" };
  } catch (error) {
    throw error instanceof TypeError ? new ConfigError(inVariables(error.message), { cause: error }) : error;
  }
}

async function read(config: Config, name: TlsVariable): Promise<string | undefined> {
  const path = config[name];
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ""] ?? message;
    throw new ConfigError(`${name}: ${JSON.stringify(path)} cannot be read: ${reason}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not",
  EISDIR: "it is a folder",
};

function inVariables(message: string): string {
  return VARIABLES.reduce((text, [option, variable]) => text.replaceAll(option, variable), message);
}
