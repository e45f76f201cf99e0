import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { StatusCode } from "volant";
import { listRequest } from "../../test/support/requests.ts";
import { fault } from "../../test/support/rpc-faults.ts";
import { SORT_FIELDS, type UserOrder, type UserRecord } from "../storage/user-store.ts";
import { LIMITS } from "./limits.ts";
import { orderText, parseOrder } from "./order.ts";
import { PageTokens } from "./page-token.ts";
import { cursorAt, nextPageToken, planList, planStream } from "./paging.ts";

const tokens = new PageTokens("a key of the tests");
const byName: UserOrder = { field: "name", descending: false };

const user: UserRecord = {
  id: "u1",
  email: "ada@example.com",
  name: "Ada",
  roles: [],
  metadata: {},
  createdAtMicros: 1_700_000_000_000_001n,
  updatedAtMicros: 1_700_000_000_000_002n,
  etag: "1",
};

const invalid = (message: string | RegExp, ...fields: string[]) =>
  fault({ code: StatusCode.INVALID_ARGUMENT, message, fields });

describe("sort_by", () => {
  it("is the newest first when left out", () => {
    for (const text of ["", "  "]) assert.deepEqual(parseOrder(text), { field: "created_at", descending: true });
  });

  it("is a field, ascending, or a field and desc", () => {
    for (const field of SORT_FIELDS) {
      assert.deepEqual(parseOrder(field), { field, descending: false });
      assert.deepEqual(parseOrder(` ${field}   desc `), { field, descending: true });
      assert.deepEqual(parseOrder(orderText({ field, descending: true })), { field, descending: true });
    }
  });

  it("is refused when it is anything else, in few words", () => {
    for (const text of ["id", "name asc", "name desc desc", "name,email", "name; drop table users", "desc", "NAME"]) {
      assert.throws(
        () => parseOrder(text),
        invalid(/^sort_by must be one of created_at, name, email/, "sort_by"),
        text,
      );
    }
    assert.throws(() => parseOrder("name ".repeat(100_000)), invalid(/^.{0,250}$/s, "sort_by"));
  });
});

describe("page size", () => {
  it("is 50 when left out, 1000 at most, never negative", () => {
    assert.equal(planList(listRequest(), tokens).pageSize, 50);
    assert.equal(planList(listRequest({ pageSize: 1 }), tokens).pageSize, 1);
    assert.equal(planList(listRequest({ pageSize: 1000 }), tokens).pageSize, 1000);
    assert.equal(planList(listRequest({ pageSize: 1001 }), tokens).pageSize, 1000);
    const negative = listRequest({ pageSize: -1 });
    assert.throws(
      () => planList(negative, tokens),
      invalid("page_size must not be negative, -1 was given", "page_size"),
    );
    assert.throws(() => planStream(negative, tokens), invalid(/page_size/, "page_size"));
  });

  it("has no cap in a stream, and 0 is every match", () => {
    assert.equal(planStream(listRequest(), tokens).limit, 0);
    assert.equal(planStream(listRequest({ pageSize: 1_000_000 }), tokens).limit, 1_000_000);
  });
});

describe("page numbers", () => {
  it("count from 1, and 0 is 1", () => {
    for (const page of [0, 1]) {
      const plan = planList(listRequest({ page, pageSize: 10 }), tokens);
      assert.equal(plan.page, 1);
      assert.equal(plan.query.skip, undefined);
    }
    assert.throws(() => planList(listRequest({ page: -1 }), tokens), invalid(/^page must be 1 or more/, "page"));
  });

  it("skip the pages before, of the size that is in force", () => {
    assert.equal(planList(listRequest({ page: 3, pageSize: 10 }), tokens).query.skip, 20);
    assert.equal(planList(listRequest({ page: 3 }), tokens).query.skip, 100);
    assert.equal(planList(listRequest({ page: 3, pageSize: 5000 }), tokens).query.skip, 2000);
    assert.equal(planStream(listRequest({ page: 3, pageSize: 5000 }), tokens).query.skip, 10_000);
    assert.equal(planStream(listRequest({ page: 2 }), tokens).query.skip, 50);
    const last = listRequest({ page: 2 ** 31 - 1, pageSize: 2 ** 31 - 1 });
    assert.ok(Number.isSafeInteger(planStream(last, tokens).query.skip));
  });
});

describe("a filter", () => {
  it("is literal text of bounded length", () => {
    assert.equal(planList(listRequest({ filter: "50%_" }), tokens).query.filter, "50%_");
    assert.throws(() => planList(listRequest({ filter: "a\0" }), tokens), invalid(/^filter/, "filter"));
    const long = listRequest({ filter: "f".repeat(LIMITS.filterChars + 1) });
    assert.throws(() => planStream(long, tokens), invalid(/^filter/, "filter"));
  });
});

describe("a page token", () => {
  it("leads to what follows the last row, in every order", () => {
    for (const field of SORT_FIELDS) {
      for (const sortBy of [field, `${field} desc`]) {
        const plan = planList(listRequest({ filter: "a", sortBy }), tokens);
        const pageToken = nextPageToken(plan, user, tokens);
        const next = planList(listRequest({ filter: "a", sortBy, pageToken }), tokens);
        assert.equal(next.page, 2);
        assert.deepEqual(next.query.after, cursorAt(user, plan.query.order));
        assert.equal(next.query.skip, undefined);
        assert.deepEqual(planStream(listRequest({ filter: "a", sortBy, pageToken }), tokens).query, next.query);
      }
    }
  });

  it("decides the place, whatever page number comes with it", () => {
    const pageToken = tokens.seal({ page: 7, after: { value: "Ada", id: "u1" } }, "", byName);
    const plan = planList(listRequest({ sortBy: "name", page: 3, pageToken }), tokens);
    assert.equal(plan.page, 7);
    assert.equal(plan.query.skip, undefined);
  });

  it("opens to what was sealed, for any text", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 50 });
    fc.assert(
      fc.property(text, text, text, fc.nat(), (filter, value, id, page) => {
        const token = tokens.seal({ page, after: { value, id } }, filter, byName);
        assert.match(token, /^[A-Za-z0-9_-]+$/);
        assert.deepEqual(tokens.open(token, filter, byName), { page, after: { value, id } });
      }),
    );
  });

  it("of the longest name still opens", () => {
    const value = "👩".repeat(LIMITS.nameChars);
    const token = tokens.seal({ page: 2, after: { value, id: "i".repeat(LIMITS.userIdChars) } }, "", byName);
    assert.equal(tokens.open(token, "", byName).after.value, value);
  });

  it("is bound to filter and order", () => {
    const token = tokens.seal({ page: 2, after: { value: "Ada", id: "u1" } }, "ada", byName);
    const other = invalid(/^page_token belongs to another filter or sort_by/, "page_token");
    assert.throws(() => tokens.open(token, "Ada", byName), other);
    assert.throws(() => tokens.open(token, "ada", { field: "name", descending: true }), other);
    assert.throws(() => tokens.open(token, "ada", { field: "email", descending: false }), other);
  });

  it("is refused when any bit of it was changed", () => {
    const token = tokens.seal({ page: 2, after: { value: "Ada", id: "u1" } }, "", byName);
    const bytes = Buffer.from(token, "base64url");
    const refused = invalid(/^page_token is not valid: send next_page_token/, "page_token");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => tokens.open(forged.toString("base64url"), "", byName), refused, `bit ${bit}`);
    }
  });

  it("is refused when it is another key's, cut short, spelt otherwise or no token at all", () => {
    const token = tokens.seal({ page: 2, after: { value: "Ada", id: "u1" } }, "", byName);
    const refused = invalid(/^page_token is not valid/, "page_token");
    assert.throws(() => new PageTokens("another key").open(token, "", byName), refused);
    for (const text of [token.slice(0, -1), `${token}=`, ` ${token}`, "1", "AAAA", "'; --", "x".repeat(1_000_000)]) {
      assert.throws(() => tokens.open(text, "", byName), refused, text.slice(0, 100));
    }
  });
});
