/**
 * The one list of outside tools: where each comes from and which version. Owns no installation (`install.ts`).
 *
 * Debian packages have the version of the machine's release; everything else is pinned. What is built or unpacked for us
 * goes to `.tools/NAME-VERSION`, so that another pin is another folder.
 */
export const TOOLS = {
  // Its later releases are tagged v2.x on a module path without /v2, which Go refuses: this is the last one it takes. It
  // predates modules, so `h2spec/go.mod` beside this file pins what it is built with.
  h2spec: { kind: "go", version: "2.2.1", module: "h2spec", package: "github.com/summerwind/h2spec/cmd/h2spec" },
  h2specd: { kind: "go", version: "2.2.1", module: "h2spec", package: "github.com/summerwind/h2spec/cmd/h2specd" },
  grpcurl: { kind: "go", version: "1.9.3", package: "github.com/fullstorydev/grpcurl/cmd/grpcurl" },
  ghz: { kind: "go", version: "0.93.0", package: "github.com/bojand/ghz/cmd/ghz" },
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
  /** A folder beside this file with a go.mod and go.sum to build it in; left out: `go install package@version`. */
  readonly module?: string;
}

/** Installed into a virtual environment; the tool is that environment's interpreter. */
export interface PythonTool {
  readonly kind: "python";
  readonly version: string;
  readonly package: string;
}

export interface DebianTool {
  readonly kind: "debian";
  readonly command: string;
  readonly package: string;
}
