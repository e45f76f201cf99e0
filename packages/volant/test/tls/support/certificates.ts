/**
 * Certificates for tests, made of node:crypto alone, so that no key is ever committed and nothing has to be installed. Owns the
 * DER of X.509 v3 as far as tests need it. RFC 5280 §4.1, §4.2.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Identity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName?: string;
  /** "DNS:localhost", "IP:127.0.0.1", "URI:spiffe://test/a". */
  readonly names?: readonly string[];
  readonly kind?: "ec" | "rsa";
  /** Days from now at which it ends; below zero it has expired. */
  readonly days?: number;
}

const DAY_MS = 86_400_000;
export const LOCAL_NAMES: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"];

/** A CA of its own. Its certificate is `cert`. */
export class Authority {
  readonly cert: string;
  private readonly name: string;
  private readonly key: KeyObject;

  constructor(name = "test CA") {
    this.name = name;
    const { privateKey, publicKey } = keyPair("ec");
    this.key = privateKey;
    this.cert = certificate(name, privateKey, name, publicKey, 10, [
      extension("2.5.29.19", sequence(BOOLEAN_TRUE), true),
    ]);
  }

  /** A certificate and its key; by default for localhost and 127.0.0.1. */
  issue(request: CertificateRequest = {}): Identity {
    const { commonName = "localhost", names = LOCAL_NAMES, kind = "ec", days = 10 } = request;
    const { privateKey, publicKey } = keyPair(kind);
    const extensions = [extension("2.5.29.17", sequence(...names.map(generalName)))];
    return {
      cert: certificate(this.name, this.key, commonName, publicKey, days, extensions),
      key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    };
  }
}

/** The same key, encrypted. */
export function encryptedKey(key: string, passphrase: string): string {
  return createPrivateKey(key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }) as string;
}

function keyPair(kind: "ec" | "rsa"): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** An element of DER. X.690 §8.1. */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...parts: readonly Buffer[]) => element(0x30, ...parts);
const bits = (content: Buffer) => element(0x03, Buffer.of(0), content);
const BOOLEAN_TRUE = element(0x01, Buffer.of(255));

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 127];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 127) | 128);
    octets.push(...digits);
  }
  return element(0x06, Buffer.from(octets));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(element(0x31, sequence(objectId("2.5.4.3"), element(0x0c, Buffer.from(commonName)))));
}

function generalName(name: string): Buffer {
  const [, type, value = ""] = /^(DNS|IP|URI):(.*)$/s.exec(name)!;
  if (type === "IP") return element(0x87, Buffer.from(value.split(".").map(Number)));
  return element(type === "DNS" ? 0x82 : 0x86, Buffer.from(value, "latin1"));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [BOOLEAN_TRUE] : []), element(0x04, value));
}

function time(ms: number): Buffer {
  return element(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "")}`));
}

function certificate(
  issuer: string,
  issuerKey: KeyObject,
  subject: string,
  subjectKey: KeyObject,
  days: number,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(objectId("1.2.840.10045.4.3.2"));
  const now = Date.now();
  const body = sequence(
    element(0xa0, element(0x02, Buffer.of(2))),
    element(0x02, Buffer.of(1), randomBytes(8)),
    algorithm,
    distinguishedName(issuer),
    sequence(time(now - 20 * DAY_MS), time(now + days * DAY_MS)),
    distinguishedName(subject),
    subjectKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(...extensions)),
  );
  const der = sequence(body, algorithm, bits(sign("sha256", body, issuerKey)));
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
