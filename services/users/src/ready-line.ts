/** What the service tells whoever started it, on stdout. Programs read the first line, people the second. */

/** `ready grpc=<host>:<port>` and facts as key=value, without spaces in the values. */
export function readyLine(address: string, facts: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ grpc: address, ...facts }).map(([key, value]) => `${key}=${value}`);
  return `ready ${pairs.join(" ")}`;
}

/** A command to paste. The user exists in a new embedded database. */
export function firstCommand(address: string): string {
  const url = `http://${address}/user.UserService/GetUser`;
  return `try: npx buf curl --protocol grpc --http2-prior-knowledge --schema proto -d '{"userId":"123"}' ${url}`;
}

/** Where a client on this machine reaches a server that listens on `host`: 0.0.0.0 and :: are no destinations. */
export function dialableAddress(host: string, port: number): string {
  const dialable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return dialable.includes(":") ? `[${dialable}]:${port}` : `${dialable}:${port}`;
}
