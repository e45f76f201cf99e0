/**
 * The client's half of TLS handshakes: `tls` of a channel. Owns its options, the current certificates and the session to
 * resume; what happens to the socket is the connector's. RFC 9113 §3.2, §9.2.
 *
 * There is no option to leave the server unverified: an own CA is given as `ca`, another name as `servername`.
 */
import { isIP, type TcpNetConnectOpts } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { checkOptions, describeGiven, type OptionTable } from "../rpc/option-names.ts";
import type { TlsCredentials } from "./tls-credentials.ts";
import { TLS_MATERIAL_OPTIONS, type TlsMaterialOptions } from "./tls-material.ts";
import {
  ALPN_PROTOCOLS,
  contextOptions,
  findProtocolFault,
  type ResolvedTlsProtocol,
  resolveCredentials,
  resolveTlsProtocol,
  TLS_PROTOCOL_OPTIONS,
  type TlsProtocolOptions,
} from "./tls-protocol.ts";

export interface ChannelTlsOptions extends TlsMaterialOptions, TlsProtocolOptions {
  /** Certificates that can be replaced, instead of `cert`, `key`, `passphrase` and `ca`. */
  readonly credentials?: TlsCredentials;
  /**
   * The name that the server's certificate must have, and that is asked for (SNI). It also stands in `:authority`, unless the
   * channel's `authority` does. Default: the target's host (grpc.ssl_target_name_override).
   */
  readonly servername?: string;
}

const CHANNEL_TLS_OPTIONS = {
  ...TLS_MATERIAL_OPTIONS,
  ...TLS_PROTOCOL_OPTIONS,
  credentials: true,
  servername: true,
} as const satisfies OptionTable<ChannelTlsOptions>;

export interface ResolvedChannelTls {
  readonly credentials: TlsCredentials;
  readonly protocol: ResolvedTlsProtocol;
  readonly servername: string | undefined;
}

/** Throws TypeError naming the option, what was given and what is allowed. Undefined: cleartext. */
export function resolveChannelTls(given: boolean | ChannelTlsOptions | undefined): ResolvedChannelTls | undefined {
  if (given === undefined || given === false) return undefined;
  if (given !== true && (typeof given !== "object" || given === null)) {
    throw new TypeError(`tls: ${describeGiven(given)} given; true, false or an object is allowed`);
  }
  if (given !== true) checkOptions("new Channel(): tls", given, CHANNEL_TLS_OPTIONS);
  const options = given === true ? {} : given;
  const { servername } = options;
  if (servername !== undefined && (typeof servername !== "string" || !/^[\w-]+(?:\.[\w-]+)*$/.test(servername))) {
    throw new TypeError(`tls.servername: ${JSON.stringify(servername)} given, a host name is allowed`);
  }
  // RFC 6066 §3: an address is no server name.
  if (servername !== undefined && isIP(servername) !== 0) {
    throw new TypeError(
      `tls.servername: ${JSON.stringify(servername)} given; it takes a name, addresses are the target's`,
    );
  }
  return Object.freeze({ credentials: resolveCredentials(options), protocol: resolveTlsProtocol(options), servername });
}

export class TlsDialer {
  private readonly options: ResolvedChannelTls;
  private context: SecureContext | undefined;
  /** What the last handshake left to resume. RFC 8446 §2.2. */
  private session: Buffer | undefined;
  private material: unknown;

  constructor(options: ResolvedChannelTls) {
    this.options = options;
  }

  /** The socket reports its end as "secureConnect" or "error". */
  connect(where: { readonly path: string } | TcpNetConnectOpts): TLSSocket {
    this.refresh();
    const servername = this.options.servername ?? nameOf(where);
    const socket = connect({
      ...where,
      secureContext: this.context!,
      ALPNProtocols: [...ALPN_PROTOCOLS],
      ...(servername === undefined ? {} : { servername }),
      ...(this.session === undefined ? {} : { session: this.session }),
    });
    const { context } = this;
    socket.on("session", (session) => {
      if (context === this.context) this.session = session;
    });
    return socket;
  }

  /** Why HTTP/2 must not be spoken on this socket, whose handshake succeeded. */
  findFault(socket: TLSSocket): string | undefined {
    const fault = findProtocolFault(socket);
    if (fault === "prohibited-cipher") {
      return `TLS: the server chose ${socket.getCipher().standardName}, which HTTP/2 prohibits (RFC 9113 §9.2.2)`;
    }
    if (fault === undefined) return undefined;
    return "TLS: the server did not choose HTTP/2 (ALPN h2): check the port, and whether a proxy is in between";
  }

  /** A session that older certificates allowed is not resumed. */
  private refresh(): void {
    const { current } = this.options.credentials;
    if (current === this.material) return;
    this.context = createSecureContext(contextOptions(current, this.options.protocol));
    this.material = current;
    this.session = undefined;
  }
}

/** An address is verified as one, and not asked for by name. */
function nameOf(where: { readonly path: string } | TcpNetConnectOpts): string | undefined {
  if ("path" in where) return "localhost";
  return where.host === undefined || isIP(where.host) !== 0 ? undefined : where.host;
}
