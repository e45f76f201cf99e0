/**
 * Whose fault orphaned handlers are: counts by client address, so that one client cannot use up what all have.
 *
 * A client may add to its orphans while it has fewer than there are places left for everybody. Alone it gets half of all,
 * two get a third each, and so on: some are always left, and who has none is always let in. (Dynamic thresholds, as in the
 * shared buffers of switches.)
 */
import { networkOfPeer } from "../transport/peer-network.ts";

export class OrphanShare {
  readonly client: string;
  orphans = 0;
  /** Connections that use this object. */
  users = 0;

  constructor(client: string) {
    this.client = client;
  }
}

export class OrphanShares {
  private readonly shares = new Map<string, OrphanShare>();

  /** For one connection, until {@link leave}. */
  join(peerAddress: string): OrphanShare {
    const client = networkOfPeer(peerAddress);
    let share = this.shares.get(client);
    if (share === undefined) {
      share = new OrphanShare(client);
      this.shares.set(client, share);
    }
    share.users++;
    return share;
  }

  leave(share: OrphanShare): void {
    share.users--;
    this.forgetUnused(share);
  }

  remove(share: OrphanShare): void {
    share.orphans--;
    this.forgetUnused(share);
  }

  get size(): number {
    return this.shares.size;
  }

  private forgetUnused(share: OrphanShare): void {
    if (share.users === 0 && share.orphans === 0) this.shares.delete(share.client);
  }
}
