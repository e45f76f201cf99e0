/**
 * A channel to a server of the same process, over memory: `volant/testing`. Owns the joining of the two; framing, limits,
 * flow control and deadlines are the real ones.
 */

import { Channel } from "../client/channel.ts";
import { CHANNEL_OPTIONS, type ChannelOptions } from "../client/channel-options.ts";
import type { Connector } from "../client/connector.ts";
import { checkOptions, type OptionTable } from "../rpc/option-names.ts";
import { checkServer } from "../rpc/server-shape.ts";
import type { Server } from "../server/server.ts";
import { MemoryWire } from "../transport/memory-wire.ts";
import { clearImmediate, setImmediate } from "../transport/time.ts";
import { FaultLink, faultsInOrder } from "./fault-link.ts";
import type { TestFault, TestFaults } from "./test-faults.ts";

export interface TestChannelOptions extends ChannelOptions {
  /**
   * What goes wrong between the two, call by call: `({ index }) => (index === 0 ? { kind: "disconnect" } : undefined)`.
   * Default: nothing, and then nobody stands between them.
   */
  readonly faults?: TestFaults;
}

const TEST_CHANNEL_OPTIONS = {
  ...CHANNEL_OPTIONS,
  faults: "function",
} as const satisfies OptionTable<TestChannelOptions>;

/** Only the authority follows from it: nothing is ever opened there. */
const TARGET = "unix:memory";

/** The server need not listen. It, and the channel, are closed by whoever made them. */
export function createTestChannel(server: Server, options: TestChannelOptions = {}): Channel {
  checkServer("createTestChannel()", server);
  checkOptions("createTestChannel()", options, TEST_CHANNEL_OPTIONS);
  const { faults, ...channelOptions } = options;
  if (faults === undefined) return new Channel(TARGET, channelOptions, connectorTo(server, MemoryWire.join));
  const faultOf: (path: string) => TestFault | undefined = faultsInOrder(faults);
  const join = (near: MemoryWire, far: MemoryWire): unknown => new FaultLink(near, far, faultOf);
  return new Channel(TARGET, channelOptions, connectorTo(server, join));
}

function connectorTo(server: Server, join: (near: MemoryWire, far: MemoryWire) => unknown): Connector {
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
        join(near, far!);
        return near;
      });
    });
    return () => clearImmediate(attempt);
  };
}
