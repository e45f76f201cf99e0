/** Who is on the other end of a call. */
export interface Peer {
  /** "127.0.0.1:50312", "[::1]:50312", "unix:/run/x.sock" or "memory". */
  readonly address: string;
  /** What the TLS handshake found; undefined on a connection without TLS. */
  readonly tls?: TlsPeer | undefined;
}

/** The other end as TLS knows it. What stands in its certificate is there only when `authorized` is true. */
export interface TlsPeer {
  /** It has shown a certificate, and that was verified. */
  readonly authorized: boolean;
  /** "TLSv1.2" or "TLSv1.3". */
  readonly protocol: string;
  /** The IANA name of the cipher suite: "TLS_AES_128_GCM_SHA256". */
  readonly cipher: string;
  /** The protocol agreed on by ALPN: "h2". */
  readonly alpn: string;
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined;
  /** "O=Acme,CN=orders", in the order of the certificate, escaped as RFC 4514 says. */
  readonly subject: string | undefined;
  /** "DNS:orders.example.com", "URI:spiffe://example.com/orders", "IP Address:192.0.2.1", "email:…". */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the certificate: "AB:CD:…". */
  readonly fingerprint256: string | undefined;
}
