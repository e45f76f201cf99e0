// Owns: the proof that what is published works where users install it: packed, installed from the tarball into an empty
// folder, called through import and require on the oldest supported Node and on the current one, and type-checked.
// Needs the npm registry, or what npm has cached of it.

import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { binaries, INSTALL_TIMEOUT_MS, installConsumer, packLibrary, run } from "./packed-consumer.ts";

const OLDEST_NODE = "22.12.0";
// Users are on the compiler written in JavaScript as well as on the native one of this workspace.
const OTHER_TYPESCRIPT = "5.9.3";

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourceRoot?: string;
}

const UNARY_CALL = `
  const server = new Server();
  server.add(UserService, { getUser: async ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const channel = new Channel("127.0.0.1:" + port);
  const users = createClient(UserService, channel);
  const { user } = await users.getUser({ userId: "42" });
  const refusal = await users.deleteUser({ userId: "42" }).catch((error) => error);
  await channel.close();
  await server.drain({ graceMs: 1000 });
  console.log(JSON.stringify({
    id: user.id,
    refused: refusal instanceof RpcError && refusal.code === StatusCode.UNIMPLEMENTED,
  }));
`;
const NAMES = "{ Channel, RpcError, Server, StatusCode, createClient }";

const CONSUMER: Readonly<Record<string, string>> = {
  "call.mjs": `import ${NAMES} from "volant";\nimport { UserService } from "./gen/user_pb.js";\n${UNARY_CALL}`,
  "call.cjs": `const ${NAMES} = require("volant");\nconst { UserService } = require("./gen/user_pb.js");\n(async () => {${UNARY_CALL}})();`,
  "consumer.ts": `
    import { Channel, Server, createClient } from "volant";
    import { UserService } from "./gen/user_pb.js";

    const server = new Server();
    server.add(UserService, { getUser: ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
    // @ts-expect-error a method that the service does not have
    server.add(UserService, { getUsers: () => ({}) }, { partial: true });
    // @ts-expect-error without { partial: true } every method must be there
    server.add(UserService, { getUser: () => ({}) });
    const users = createClient(UserService, new Channel("localhost:50051"));
    export const email: string | undefined = (await users.getUser({ userId: "42" })).user?.email;
    // @ts-expect-error an id is text
    await users.getUser({ userId: 42 });
  `,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "es2022",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
    },
    files: ["consumer.ts"],
  }),
};

describe("the packed library", { timeout: INSTALL_TIMEOUT_MS }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "packed-")));
  const consumer = join(folder, "consumer");

  before(
    async () => {
      const devDependencies = { "@types/node": "24.19.2", node: OLDEST_NODE, typescript: OTHER_TYPESCRIPT };
      await installConsumer({ folder: consumer, files: CONSUMER, devDependencies }, await packLibrary(folder));
    },
    { timeout: INSTALL_TIMEOUT_MS },
  );
  after(() => rmSync(folder, { recursive: true }));

  test("contains no test and no fixture", () => {
    const files = globSync("**/*.*", { cwd: join(consumer, "node_modules", "volant") });
    assert.ok(files.includes("index.js") && files.includes("index.d.ts"));
    assert.deepEqual(
      files.filter((file) => /\.test\.|(?:^|\/)test\//.test(file)),
      [],
    );
  });

  test("every source map names exactly its TypeScript source, a file of the package", () => {
    const packed = join(consumer, "node_modules", "volant");
    const maps = globSync("**/*.map", { cwd: packed });
    assert.ok(maps.includes("index.js.map") && maps.includes("index.d.ts.map"));
    for (const path of maps) {
      const { sources, sourceRoot } = JSON.parse(readFileSync(join(packed, path), "utf8")) as SourceMap;
      assert.equal(sourceRoot ?? "", "", path);
      const found = sources.map((source) => relative(packed, resolve(packed, dirname(path), source)));
      assert.deepEqual(found, [join("src", path.replace(/(?:\.d\.ts|\.js)\.map$/, ".ts"))]);
      assert.ok(existsSync(join(packed, found[0] ?? "")), path);
    }
  });

  for (const [runtime, node] of [
    [OLDEST_NODE, join(consumer, "node_modules", ".bin", "node")],
    [process.versions.node, process.execPath],
  ] as const)
    for (const program of ["call.mjs", "call.cjs"])
      test(`serves and makes a unary call on Node ${runtime} (${program})`, async () => {
        const { stdout: version } = await run(node, ["--version"]);
        assert.equal(version.trim(), `v${runtime}`);
        const { stdout } = await run(node, [program], { cwd: consumer });
        assert.deepEqual(JSON.parse(stdout), { id: "42", refused: true });
      });

  for (const [compiler, tsc] of [
    ["the workspace's TypeScript", join(binaries, "tsc")],
    [`TypeScript ${OTHER_TYPESCRIPT}`, join(consumer, "node_modules", ".bin", "tsc")],
  ] as const)
    for (const resolution of ["nodenext", "bundler"] as const)
      test(`type-checks strictly, declarations included, with ${compiler} and ${resolution} resolution`, async () => {
        const module = resolution === "bundler" ? "esnext" : resolution;
        const options = ["--module", module, "--moduleResolution", resolution];
        await run(tsc, ["-p", ".", ...options], { cwd: consumer }).catch((error: { stdout: string }) =>
          assert.fail(error.stdout),
        );
      });

  test("no declaration names a TypeScript source", () => {
    const packed = join(consumer, "node_modules", "volant");
    for (const path of globSync("**/*.d.ts", { cwd: packed }))
      assert.doesNotMatch(readFileSync(join(packed, path), "utf8"), /"\.[^"\n]*\.ts"/, path);
  });

  test("has nothing for publint to say", async () => {
    const { messages, pkg } = await publint({ pkgDir: join(consumer, "node_modules", "volant"), level: "suggestion" });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });
});
