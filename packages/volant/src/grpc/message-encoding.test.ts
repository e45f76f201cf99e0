import assert from "node:assert/strict";
import { test } from "node:test";
import { listsEncoding } from "./message-encoding.ts";

test("PROTOCOL-HTTP2 Message-Accept-Encoding: a list with commas, and spaces around its names", () => {
  for (const list of ["gzip", "identity,gzip", "identity, gzip ,deflate", "\tgzip", "deflate,,gzip", "a,gzip,"]) {
    assert.equal(listsEncoding(list, "gzip"), true, list);
  }
  for (const list of ["", "identity", "gzip2", "xgzip", "GZIP", "gz ip", ",", "gzip;q=1"]) {
    assert.equal(listsEncoding(list, "gzip"), false, list);
  }
});
