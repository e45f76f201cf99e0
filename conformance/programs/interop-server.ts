/**
 * The interop services as a program: `interop-server.ts PORT [CERT_FILE KEY_FILE]` listens on 127.0.0.1 and runs until it is
 * ended. In cleartext, `interop-server.ts PORT watched` tells whether requests are compressed, by looking at their frames.
 */
import { readFileSync } from "node:fs";
import { Server } from "volant";
import { addInteropServices, type RequestWatch } from "./interop-service.ts";
import { MessageTap } from "./message-tap.ts";

const [port, certFile, keyFile] = process.argv.slice(2);
const tls =
  certFile !== undefined && keyFile !== undefined
    ? { tls: { cert: readFileSync(certFile), key: readFileSync(keyFile) } }
    : {};
const isWatched = certFile === "watched";
let watch: RequestWatch | undefined;
const server = new Server();
addInteropServices(server, (call) => watch?.(call));
const { port: ownPort } = await server.listen({ host: "127.0.0.1", port: isWatched ? 0 : Number(port), ...tls });
const tap = isWatched ? await MessageTap.listen(ownPort, Number(port)) : undefined;
if (tap !== undefined) watch = ({ peer }) => tap.takeRequest(peer.address);
process.once("SIGTERM", async () => {
  await tap?.[Symbol.asyncDispose]();
  await server.close();
});
