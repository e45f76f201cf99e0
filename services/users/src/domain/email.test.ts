import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emailFault } from "./email.ts";

describe("an email address", () => {
  it("§4.1.2 may be any dot-atom at a domain name", () => {
    for (const email of [
      "a@b",
      "ada@example.com",
      "ada.lovelace+news@mail.example.co.uk",
      "o'neill_%x=1@xn--bcher-kva.example",
      "A1@123.example",
    ]) {
      assert.equal(emailFault(email), undefined, email);
    }
  });

  it("§4.5.3.1 may be as long as the RFC allows, and no longer", () => {
    const domain = `${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(61)}`;
    assert.equal(emailFault(`${"a".repeat(64)}@${domain}`), undefined);
    assert.equal(emailFault(`${"a".repeat(65)}@b.c`), "must have at most 64 characters before the @");
    assert.equal(emailFault(`aaaa@${domain}.${"d".repeat(63)}`), "must have at most 254 characters");
    assert.match(emailFault(`a@${"d".repeat(64)}.com`) ?? "", /domain name/);
  });

  it("names what is wrong", () => {
    const faults: [string, RegExp][] = [
      ["", /empty/],
      ["not-an-email", /contain an @/],
      ["@example.com", /before the @/],
      ["a..b@example.com", /before the @/],
      [".a@example.com", /before the @/],
      ["a b@example.com", /before the @/],
      ["a@b@example.com", /before the @/],
      ["ädä@example.com", /ASCII/],
      ["a@", /domain/],
      ["a@example..com", /domain/],
      ["a@-example.com", /domain/],
      ["a@exa mple.com", /domain/],
      ["a@example.com.", /domain/],
      ["a@example.com\n", /domain/],
      ["a\0@example.com", /before the @/],
    ];
    for (const [email, expected] of faults)
      assert.match(emailFault(email) ?? "accepted", expected, JSON.stringify(email));
  });
});
