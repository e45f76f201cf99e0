/**
 * The one list of outside tools: where each comes from and which version. Owns no installation (`install.ts`).
 *
 * Debian packages have the version of the machine's release; everything else is pinned. What is built or unpacked for us
 * goes to `.tools/NAME-VERSION`, so that another pin is another folder.
 */
export const TOOLS = {
  // Its later releases have a go.mod and are tagged v2.x on a module path without /v2: Go refuses such tags, and the module
  // proxy has neither them nor the commits behind them. This is the last one it has. It predates modules, so
  // `h2spec/go.mod` beside this file pins what it is built with.
  h2spec: { kind: "go", version: "2.2.1", module: "h2spec", package: "github.com/summerwind/h2spec/cmd/h2spec" },
  h2specd: { kind: "go", version: "2.2.1", module: "h2spec", package: "github.com/summerwind/h2spec/cmd/h2specd" },
  grpcurl: { kind: "go", version: "1.9.3", package: "github.com/fullstorydev/grpcurl/cmd/grpcurl" },
  ghz: { kind: "go", version: "0.93.0", package: "github.com/bojand/ghz/cmd/ghz" },
  connectconformance: {
    kind: "go",
    version: "1.0.5",
    package: "connectrpc.com/conformance/cmd/connectconformance",
  },
  "grpc-go-interop-client": {
    kind: "go",
    version: "1.85.0",
    package: "google.golang.org/grpc/interop/client",
    command: "client",
  },
  "grpc-go-interop-server": {
    kind: "go",
    version: "1.85.0",
    package: "google.golang.org/grpc/interop/server",
    command: "server",
  },
  "grpc-go-interop-http2": {
    kind: "go",
    version: "1.85.0",
    package: "google.golang.org/grpc/interop/http2",
    command: "http2",
  },
  // The extra brings what compiles the protos when the peer starts.
  grpcio: { kind: "python", version: "1.85.1", package: "grpcio[protobuf]" },
  "grpc-health-probe": { kind: "go", version: "0.4.61", package: "github.com/grpc-ecosystem/grpc-health-probe" },
  "grpcio-services": {
    kind: "python",
    version: "1.85.1",
    package: "grpcio-reflection",
    also: ["grpcio", "grpcio-health-checking"],
  },
  "python-hpack": { kind: "python", version: "4.1.0", package: "hpack" },
  curl: { kind: "debian", command: "curl", package: "curl" },
  nghttp: { kind: "debian", command: "nghttp", package: "nghttp2-client" },
  h2load: { kind: "debian", command: "h2load", package: "nghttp2-client" },
  nginx: { kind: "debian", command: "nginx", package: "nginx" },
  haproxy: { kind: "debian", command: "haproxy", package: "haproxy" },
} as const satisfies Readonly<Record<string, ToolSource>>;

export type ToolName = keyof typeof TOOLS;

export type ToolSource = GoTool | PythonTool | DebianTool;

export interface GoTool {
  readonly kind: "go";
  readonly version: string;
  /** Main package of the program. */
  readonly package: string;
  /** What Go calls the program. Default: the name of the tool. */
  readonly command?: string;
  /** A folder beside this file with a go.mod and go.sum to build it in; left out: `go install package@version`. */
  readonly module?: string;
}

/** Installed into a virtual environment; the tool is that environment's interpreter. */
export interface PythonTool {
  readonly kind: "python";
  readonly version: string;
  readonly package: string;
  /** Packages of the same version that are needed with it. */
  readonly also?: readonly string[];
}

export interface DebianTool {
  readonly kind: "debian";
  readonly command: string;
  readonly package: string;
}
