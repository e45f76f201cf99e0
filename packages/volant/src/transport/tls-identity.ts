/**
 * What TLS knows of the other end of a connection. Taken when the handshake is over, because a closed socket tells nothing;
 * put into words when somebody asks.
 */
import type { Certificate, PeerCertificate, TLSSocket } from "node:tls";

export class TlsIdentity {
  readonly authorized: boolean;
  readonly protocol: string;
  readonly cipher: string;
  readonly alpn: string;
  readonly serverName: string | undefined;
  private readonly certificate: Pick<PeerCertificate, "subject" | "subjectaltname" | "fingerprint256"> | undefined;
  private names: readonly string[] | undefined;

  /** The handshake must be over. A certificate that was not verified is as good as none. */
  constructor(socket: TLSSocket) {
    const { authorized, alpnProtocol, servername } = socket as TLSSocket & { servername?: string | false | null };
    this.authorized = authorized;
    this.protocol = socket.getProtocol() ?? "unknown";
    this.cipher = socket.getCipher().standardName;
    this.alpn = alpnProtocol || "";
    this.serverName = servername || undefined;
    if (!authorized) return;
    const { subject, subjectaltname, fingerprint256 } = socket.getPeerCertificate();
    this.certificate = { subject, fingerprint256, ...(subjectaltname === undefined ? {} : { subjectaltname }) };
  }

  get subject(): string | undefined {
    return this.certificate && distinguishedName(this.certificate.subject);
  }

  get subjectAltNames(): readonly string[] {
    this.names ??= Object.freeze(parseAltNames(this.certificate?.subjectaltname ?? ""));
    return this.names;
  }

  get fingerprint256(): string | undefined {
    return this.certificate?.fingerprint256;
  }
}

/** RFC 4514 §2.4: escaped, so that a value cannot pass itself off as another attribute. */
function distinguishedName(subject: Certificate): string {
  const escaped = (value: string) => value.replace(/[\\,+"<>;=]|^[ #]| $/g, "\\$&").replace(/\0/g, "\\00");
  return Object.entries(subject)
    .flatMap(([name, values]) => [values ?? []].flat().map((value) => `${name}=${escaped(value)}`))
    .join(",");
}

/**
 * Node separates the names with ", " and writes a name that contains such characters as a JSON string (CVE-2021-44532): split
 * without regard to that, a certificate could claim names that its CA never looked at.
 */
export function parseAltNames(text: string): string[] {
  const names: string[] = [];
  for (const [, type, quoted, plain] of text.matchAll(/(?:^|, )([^:,"]+):(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?=, |$)/gy)) {
    names.push(`${type}:${quoted === undefined ? plain : (JSON.parse(quoted) as string)}`);
  }
  return names;
}
