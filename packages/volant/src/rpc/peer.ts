/** Who is on the other end of a call. */
export interface Peer {
  /** "127.0.0.1:50312", "[::1]:50312", "unix:/run/x.sock" or "memory". */
  readonly address: string;
}
