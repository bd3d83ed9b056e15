import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plotCurve } from "../../requester/terminal/plot.ts";

const options = { width: 10, height: 3, title: "loss" };
const dotRows = (plot: string) =>
  plot
    .split("\n")
    .slice(1, -2)
    .map((line) => line.slice(line.indexOf("┤") + 1));

describe("plotCurve", () => {
  it("draws a falling curve from the top left to the bottom right", () => {
    const rows = dotRows(
      plotCurve(
        Array.from({ length: 40 }, (_, step) => 4 - step / 10),
        options,
      ),
    );
    assert.equal(rows.length, 3);
    assert.notEqual(rows[0]![0], "⠀");
    assert.equal(rows[0]!.at(-1), "⠀");
    assert.equal(rows[2]![0], "⠀");
    assert.notEqual(rows[2]!.at(-1), "⠀");
  });

  it("labels the extremes and the last step", () => {
    const plot = plotCurve([3, 2, 1], options);
    assert.match(plot, /3\.000 ┤/);
    assert.match(plot, /1\.000 ┤/);
    assert.match(plot.split("\n").at(-1)!, /0 +2$/);
  });

  it("draws a constant curve and a single value", () => {
    assert.ok(plotCurve([2, 2, 2], options).includes("2.000"));
    assert.ok(plotCurve([2], options).includes("2.000"));
  });

  it("refuses an empty curve", () => {
    assert.throws(() => plotCurve([], options), RangeError);
  });
});
