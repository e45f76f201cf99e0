/**
 * `reflection(server)`: tools ask a server what it serves, instead of being given its `.proto` files. Owns what is shown; what
 * a question is answered with is in `answers.ts`.
 *
 * Both versions are served: clients try v1 first, and older ones know v1alpha only. They differ in nothing but their names.
 */
import type { DescFile } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { checkOptions, type OptionTable } from "../../rpc/option-names.ts";
import { checkServer } from "../../rpc/server-shape.ts";
import type { Server } from "../../server/index.ts";
import { type Answer, Answers, type Catalogue, type Question } from "./answers.ts";
import { DescriptorIndex } from "./descriptor-index.ts";

export interface ReflectionOptions {
  /**
   * Which services are shown, by full name; the files of others are not read. Default: all. It hides and does not protect: who
   * knows a method can call it.
   */
  readonly services?: (name: string) => boolean;
  /**
   * Files that no service imports: types in an `Any`, extensions. Those of google.rpc's error details are there without being
   * named. Default: none.
   */
  readonly files?: readonly DescFile[];
}

const REFLECTION_OPTIONS = {
  services: "function",
  files: "array",
} as const satisfies OptionTable<ReflectionOptions>;

/** Error details arrive in an `Any`, so no service imports their types, and tools want to print them. */
const DETAIL_FILES: readonly DescFile[] = [file_google_rpc_status, file_google_rpc_error_details];

/**
 * Adds grpc.reflection.v1.ServerReflection and the same in v1alpha. Services added later are shown too; those without
 * descriptors by their name only. Throws TypeError where the server has reflection already.
 */
export function reflection(server: Server, options: ReflectionOptions = {}): void {
  checkServer("reflection()", server);
  checkOptions("reflection()", options, REFLECTION_OPTIONS);
  const catalogue = new ServerCatalogue(server, options);
  server.add(ServerReflection, { serverReflectionInfo: (requests) => conversation(requests, catalogue) });
  server.add(ServerReflectionAlpha, { serverReflectionInfo: (requests) => conversation(requests, catalogue) });
}

interface Response<Request> {
  validHost: string;
  originalRequest: Request;
  messageResponse: Answer;
}

/** One answer a question, at the pace the client reads. */
async function* conversation<Request extends Question>(
  requests: AsyncIterable<Request>,
  catalogue: Catalogue,
): AsyncGenerator<Response<Request>> {
  const answers = new Answers(catalogue);
  for await (const request of requests) {
    yield { validHost: request.host, originalRequest: request, messageResponse: answers.answer(request) };
  }
}

class ServerCatalogue implements Catalogue {
  private readonly server: Server;
  private readonly isShown: (name: string) => boolean;
  private readonly files: readonly DescFile[];
  private built: { readonly serviceCount: number; readonly index: DescriptorIndex } | undefined = undefined;

  constructor(server: Server, { services = () => true, files = [] }: ReflectionOptions) {
    this.server = server;
    this.isShown = services;
    this.files = [...files, ...DETAIL_FILES];
  }

  serviceNames(): string[] {
    return this.shown()
      .map(({ typeName }) => typeName)
      .sort();
  }

  /** Built when the first question comes, and again when services were added since: they are never taken away. */
  index(): DescriptorIndex {
    const serviceCount = this.server.services.length;
    if (this.built?.serviceCount !== serviceCount) {
      // A service of another generator has a name and no descriptor.
      const files = this.shown().flatMap((service) => (service.kind === "service" ? [service.file] : []));
      this.built = { serviceCount, index: new DescriptorIndex([...files, ...this.files]) };
    }
    return this.built.index;
  }

  private shown() {
    return this.server.services.filter(({ typeName }) => this.isShown(typeName));
  }
}
