/** What the service tells whoever started it, on stdout. Programs read the first line, people the second. */

/** `ready grpc=<host>:<port>` and facts as key=value, without spaces in the values. */
export function readyLine(address: string, facts: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ grpc: address, ...facts }).map(([key, value]) => `${key}=${value}`);
  return `ready ${pairs.join(" ")}`;
}

export interface ServedWith {
  readonly hasReflection: boolean;
  /** "mutual": clients need a certificate. */
  readonly tls: string | undefined;
}

/** A command to paste, which needs nothing that is not here. The user exists in a new embedded database. */
export function firstCommand(address: string, { hasReflection, tls }: ServedWith): string {
  const flags = [
    ...(tls === undefined ? ["--http2-prior-knowledge"] : ["--insecure"]),
    ...(tls === "mutual" ? ["--cert client.crt", "--key client.key"] : []),
    ...(hasReflection ? [] : ["--schema proto"]),
  ];
  const url = `${tls === undefined ? "http" : "https"}://${address}/user.UserService/GetUser`;
  return `try: npx buf curl --protocol grpc ${flags.join(" ")} -d '{"userId":"123"}' ${url}`;
}

/** Where a client on this machine reaches a server that listens on `host`: 0.0.0.0 and :: are no destinations. */
export function dialableAddress(host: string, port: number): string {
  const dialable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return dialable.includes(":") ? `[${dialable}]:${port}` : `${dialable}:${port}`;
}
