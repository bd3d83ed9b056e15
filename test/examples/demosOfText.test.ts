import assert from "node:assert/strict";
import { test } from "node:test";
import { EXAMPLES } from "./examples.ts";
import { OF_NUMBERS, OF_TEXT, playDemo } from "./playDemo.ts";

test("every example's demo is played in the deep run", () => {
  assert.deepEqual([...OF_TEXT, ...OF_NUMBERS].sort(), EXAMPLES);
});

if (process.env.TOUCHSTONE_DEEP === "1") {
  for (const example of OF_TEXT) test(`the demo of ${example} settles, and convicts`, (t) => playDemo(t, example));
}
