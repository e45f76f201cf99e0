/**
 * The protocol's own fields of a request, picked out of a header list in one pass. Owns which fields matter to routing and
 * refusal; metadata is left where it is. One object a connection, overwritten by every request: nothing keeps it.
 */
import { singleValue } from "../grpc/header-names.ts";
import { listsEncoding } from "../grpc/message-encoding.ts";
import { isBinaryKey } from "../grpc/metadata-codec.ts";
import { type HeaderField, HeaderToken } from "../transport/http2.ts";

export class RequestHead {
  path = "";
  method: string | undefined;
  contentType: string | undefined;
  te: string | undefined;
  timeout: string | undefined;
  encoding: string | undefined;
  /** Some field is binary metadata, whose base64 must be judged before the call is taken. */
  hasBinaryMetadata = false;

  read(fields: readonly HeaderField[]): void {
    // CONNECT has none (RFC 9113 §8.5), and the one before must not stand in.
    this.path = "";
    this.method = undefined;
    this.contentType = undefined;
    this.te = undefined;
    this.timeout = undefined;
    this.encoding = undefined;
    this.hasBinaryMetadata = false;
    for (let at = 0; at < fields.length; at++) this.take(fields[at]!);
  }

  private take(field: HeaderField): void {
    switch (field.token) {
      case HeaderToken.PATH:
        this.path = field.value;
        break;
      case HeaderToken.METHOD:
        this.method = field.value;
        break;
      case HeaderToken.CONTENT_TYPE:
        this.contentType = singleValue(this.contentType, field.value);
        break;
      case HeaderToken.TE:
        this.te = field.value;
        break;
      case HeaderToken.GRPC_TIMEOUT:
        this.timeout = singleValue(this.timeout, field.value);
        break;
      case HeaderToken.GRPC_ENCODING:
        this.encoding = singleValue(this.encoding, field.value);
        break;
      case HeaderToken.OTHER:
        if (isBinaryKey(field.name)) this.hasBinaryMetadata = true;
        break;
    }
  }
}

/** Whether the client takes answers in this encoding. gRPC PROTOCOL-HTTP2 "Message-Accept-Encoding": it may be repeated. */
export function acceptsEncoding(fields: readonly HeaderField[], name: string): boolean {
  return fields.some(({ token, value }) => token === HeaderToken.GRPC_ACCEPT_ENCODING && listsEncoding(value, name));
}
