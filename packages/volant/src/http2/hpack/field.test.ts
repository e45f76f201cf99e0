import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeaderField } from "./field.ts";
import { FieldValidity } from "./field-name.ts";
import { HeaderToken, isPseudoToken, TOKEN_BY_NAME } from "./header-token.ts";

function validityOf(name: string, value = "x"): string | undefined {
  const { validity } = HeaderField.of(name, value);
  return Object.entries(FieldValidity).find(([, number]) => number === validity)?.[0];
}

describe("header fields", () => {
  it("§4.1 the size is the octets of name and value plus 32", () => {
    assert.equal(HeaderField.of("custom-key", "custom-header").size, 55);
    assert.equal(HeaderField.of(":authority", "").size, 42);
  });

  it("a name has its token, and its object is shared", () => {
    assert.equal(HeaderField.of(":path", "/").token, HeaderToken.PATH);
    assert.equal(HeaderField.of("grpc-status-details-bin", "").token, HeaderToken.GRPC_STATUS_DETAILS_BIN);
    assert.equal(HeaderField.of("x-made-up", "1").token, HeaderToken.OTHER);
    assert.equal(HeaderField.of("te", "trailers").fieldName, HeaderField.of("te", "gzip").fieldName);
  });

  it("every token but OTHER has exactly one name, and tokens are consecutive", () => {
    assert.deepEqual(
      [...TOKEN_BY_NAME.values()],
      Array.from(TOKEN_BY_NAME, (_, at) => at + 1),
    );
    assert.equal(TOKEN_BY_NAME.size, Object.keys(HeaderToken).length - 1);
    for (const [name, token] of TOKEN_BY_NAME) assert.equal(isPseudoToken(token), name.startsWith(":"));
    assert.equal(isPseudoToken(HeaderToken.OTHER), false);
  });

  const names: readonly [rule: string, validity: string, names: readonly string[]][] = [
    ["RFC 9113 §8.2.1 token characters are legal", "OK", ["a", "x-1", "!#$%&'*+-.^_`|~", ":method", ":protocol"]],
    ["RFC 9113 §8.2.1 an empty name is not", "EMPTY_NAME", [""]],
    [
      "RFC 9113 §8.2.1 other characters are not",
      "ILLEGAL_NAME",
      ["a b", "a\0", "a:b", "a\r", "caf\u00e9", "\x7f", ":a b", "A b"],
    ],
    ["RFC 9113 §8.2 upper case is not", "UPPERCASE_NAME", ["Content-Type", "a-Z", ":Path"]],
    ["RFC 9113 §8.3 other pseudo-headers are not", "UNKNOWN_PSEUDO", [":", ":foo", ":path2"]],
    [
      "RFC 9113 §8.2.2 connection-specific fields are not",
      "CONNECTION_SPECIFIC",
      ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"],
    ],
  ];
  for (const [rule, validity, examples] of names) {
    it(rule, () => {
      for (const name of examples) assert.equal(validityOf(name), validity, JSON.stringify(name));
    });
  }

  it("RFC 9113 §8.2.2 te may only say trailers", () => {
    assert.equal(validityOf("te", "trailers"), "OK");
    assert.equal(validityOf("te", "Trailers"), "OK");
    for (const value of ["", "gzip", "trailers, gzip"]) assert.equal(validityOf("te", value), "CONNECTION_SPECIFIC");
  });

  it("RFC 9113 §8.2.1 CR, LF and NUL are illegal anywhere in a value", () => {
    for (const value of ["\r", "a\nb", "a\0", "\r\nx: y"]) assert.equal(validityOf("x", value), "ILLEGAL_VALUE");
  });

  it("RFC 9113 §8.2.1 space and tab are illegal at the ends of a value only", () => {
    for (const value of [" a", "a ", "\ta", "a\t", " "]) assert.equal(validityOf("x", value), "PADDED_VALUE");
    for (const value of ["", "a b", "a\tb", "\u00e9\u00ff\x01"]) assert.equal(validityOf("x", value), "OK");
  });
});
