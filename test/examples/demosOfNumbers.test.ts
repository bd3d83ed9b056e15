import assert from "node:assert/strict";
import { test } from "node:test";
import { OF_NUMBERS, OF_TEXT, playDemo } from "./playDemo.ts";

test("no example's demo is played twice", () => {
  assert.deepEqual(
    OF_NUMBERS.filter((name) => OF_TEXT.includes(name)),
    [],
  );
});

if (process.env.TOUCHSTONE_DEEP === "1") {
  for (const example of OF_NUMBERS) test(`the demo of ${example} settles, and convicts`, (t) => playDemo(t, example));
}
