/**
 * What a channel counts, at one moment. Owns the shape that metrics read.
 */
export interface ChannelStats {
  /** Connections that are not gone, also those that are being set up or take no new calls. */
  readonly connections: number;
  /** Calls under way on them. */
  readonly streams: number;
  /** Calls that wait: see `Channel.pendingCount`. */
  readonly pending: number;
  /**
   * What servers did wrong or too often, by cause, since the channel was made. Causes are a fixed, small set: good labels of
   * a metric.
   */
  readonly faults: Readonly<Record<string, number>>;
}
