import assert from "node:assert/strict";
import { test } from "node:test";
import { BandwidthEstimator, windowAfterSample } from "./bandwidth-estimator.ts";

/** A sample of so many octets in so long, with the PING at its start. */
function sample(estimator: BandwidthEstimator, bytes: number, ms: number): number {
  estimator.add(bytes, 1_000);
  estimator.begin(1_000);
  return estimator.end(1_000 + ms);
}

test("the product is the bandwidth from the first octet to the acknowledgement, times the round trip of the PING", () => {
  const estimator = new BandwidthEstimator();
  assert.equal(estimator.add(5_000, 10), 5_000);
  estimator.add(3_000, 60);
  estimator.begin(60);
  assert.equal(estimator.isSampling, true);
  assert.equal(estimator.add(7_000, 100), 15_000);
  assert.equal(estimator.end(160), 10_000, "15,000 octets in 150 ms, a round trip of 100 ms");
  assert.equal(estimator.isSampling, false);
  assert.equal(estimator.add(9, 170), 9, "counting starts anew");
});

test("a burst that comes once in a round trip counts whole, wherever in it the PING was sent", () => {
  const estimator = new BandwidthEstimator();
  estimator.add(32_768, 0);
  estimator.begin(1);
  estimator.add(32_767, 2);
  const product = estimator.end(101);
  assert.ok(product > 64_000 && product <= 65_535, String(product));
});

test("more octets count only where the bandwidth grew by an eighth since a window last grew", () => {
  const estimator = new BandwidthEstimator();
  assert.equal(sample(estimator, 100_000, 100), 100_000);
  estimator.accept();
  assert.equal(sample(estimator, 200_000, 200), 0, "the round trip grew, so it is a queue that grew");
  assert.equal(sample(estimator, 112_000, 100), 0);
  assert.equal(sample(estimator, 113_000, 100), 113_000);
  assert.equal(sample(estimator, 113_000, 100), 113_000, "nothing grew by it, so nothing more is needed than before");
});

test("an acknowledgement in the same instant gives a finite bandwidth", () => {
  const estimator = new BandwidthEstimator();
  assert.equal(sample(estimator, 100, 0), 100);
  estimator.accept();
  assert.equal(sample(estimator, 10_000, 0), 10_000);
});

test("a sample is worth a PING where half a window came within a round trip, a second at first", () => {
  const estimator = new BandwidthEstimator();
  estimator.add(1, 0);
  estimator.add(31_999, 1_000);
  assert.equal(estimator.isWorthSampling(64_000, 1_000), true);
  assert.equal(estimator.isWorthSampling(64_001, 1_000), false);
  assert.equal(estimator.add(7, 2_000), 7, "a trickle is forgotten");
  estimator.add(31_993, 2_500);
  assert.equal(estimator.isWorthSampling(64_000, 2_500), true, "and what follows is judged by its own pace");
});

test("the round trip that was measured decides, but one below 10 ms is not believed to stay", () => {
  const estimator = new BandwidthEstimator();
  sample(estimator, 1, 50);
  estimator.add(32_000, 5_000);
  assert.equal(estimator.isWorthSampling(64_000, 5_050), true);
  assert.equal(estimator.isWorthSampling(64_000, 5_051), false);
  sample(estimator, 1, 0.2);
  estimator.add(32_000, 6_000);
  assert.equal(estimator.isWorthSampling(64_000, 6_010), true);
  assert.equal(estimator.isWorthSampling(64_000, 6_011), false);
});

test("a window becomes twice a sample that came near it, and never smaller", () => {
  assert.equal(windowAfterSample(64_000, 39_999, 1_000_000), 64_000);
  assert.equal(windowAfterSample(64_000, 40_000, 1_000_000), 80_000);
  assert.equal(windowAfterSample(60_000, 900_000, 1_000_000), 1_000_000);
  assert.equal(windowAfterSample(60_000, 900_000, 1), 60_000, "a cap below the initial size changes nothing");
});
