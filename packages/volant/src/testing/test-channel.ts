/**
 * A channel to a server of the same process, over memory: `volant/testing`. Owns the joining of the two; framing, limits,
 * flow control and deadlines are the real ones.
 */
import { Channel } from "../client/channel.ts";
import type { ChannelOptions } from "../client/channel-options.ts";
import type { Connector } from "../client/connector.ts";
import type { Server } from "../server/server.ts";
import { MemoryWire } from "../transport/memory-wire.ts";

/** Only the authority follows from it: nothing is ever opened there. */
const TARGET = "unix:memory";

/** The server need not listen. It, and the channel, are closed by whoever made them. */
export function createTestChannel(server: Server, options: ChannelOptions = {}): Channel {
  return new Channel(TARGET, options, connectorTo(server));
}

function connectorTo(server: Server): Connector {
  return (_endpoint, events) => {
    const attempt = setImmediate(() => {
      let far: MemoryWire | undefined;
      try {
        server.attach((sink) => {
          far = new MemoryWire(sink);
          return far;
        });
      } catch (error) {
        events.onFailed(error instanceof Error ? error.message : String(error));
        return;
      }
      events.onConnected((sink) => {
        const near = new MemoryWire(sink);
        MemoryWire.join(near, far!);
        return near;
      });
    });
    return () => clearImmediate(attempt);
  };
}
