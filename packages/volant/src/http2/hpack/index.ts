/**
 * The face of HPACK to the rest of the core. Nothing outside this folder imports its other files. RFC 7541.
 */
export { DecodeResult } from "./decode-result.ts";
export { HpackDecoder, type HpackDecoderOptions, SKIM_FAILED } from "./decoder.ts";
export { DEFAULT_TABLE_BYTES } from "./dynamic-table.ts";
export { HpackEncoder } from "./encoder.ts";
export { FIELD_OVERHEAD_BYTES, HeaderField } from "./field.ts";
export { FieldValidity } from "./field-name.ts";
export { HeaderToken, isPseudoToken } from "./header-token.ts";
export { Indexing, listBytes, type OutboundField } from "./outbound-field.ts";
export { encodeStaticBlock } from "./static-block.ts";
