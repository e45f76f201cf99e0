/**
 * What a server counts, at one moment. Owns the shape that metrics read.
 */
export interface ServerStats {
  /** Connections open now; TLS handshakes under way are none yet. */
  readonly connections: number;
  /** Calls under way now. */
  readonly streams: number;
  readonly handlers: {
    /** That have not finished, the next two among them; `onCall` of an interceptor that is still deciding is one too. */
    readonly running: number;
    /** Whose call is over: cancelled, past its deadline, connection lost. */
    readonly orphaned: number;
    /** Orphaned for longer than `http2.abandonedHandlerMs`: they most likely hang. */
    readonly abandoned: number;
  };
  /** How often what a client sent had to wait for others to have their turn of the event loop: see `turnSliceMs`. */
  readonly turnsWaited: number;
  /**
   * What peers did wrong or too often, and connections and calls that were refused, by cause, since the server was made.
   * Causes are a fixed, small set: good labels of a metric (`h2_abuse_total{cause}`).
   */
  readonly faults: Readonly<Record<string, number>>;
}
