import { describe, test } from "node:test";
import type { OperatorCase } from "./harness.ts";
import { caseName, checkOperator, float, int, int64s, integer, ints, parameter } from "./harness.ts";

const CASES: readonly OperatorCase[] = [
  { operator: "Identity", inputs: [float([2, 3])] },
  { operator: "Reshape", inputs: [float([2, 3, 4]), int64s(0, -1)] },
  { operator: "Reshape", inputs: [float([2, 3, 4]), int64s(4, 6)], attributes: { allowzero: int(1) } },
  { operator: "Flatten", inputs: [float([2, 3, 4])], attributes: { axis: int(2) } },
  { operator: "Flatten", inputs: [float([2, 3, 4])], attributes: { axis: int(0) } },
  { operator: "Flatten", inputs: [float([2, 3, 4])], attributes: { axis: int(-1) } },
  { operator: "Transpose", inputs: [float([2, 3, 4])] },
  { operator: "Transpose", inputs: [float([2, 3, 4])], attributes: { perm: ints(1, 2, 0) } },
  { operator: "Squeeze", inputs: [float([1, 3, 1, 2])] },
  { operator: "Squeeze", inputs: [float([1, 3, 1, 2]), int64s(-2)] },
  { operator: "Squeeze", inputs: [float([1, 3, 1, 2])], attributes: { axes: ints(0) }, operatorSet: 11 },
  { operator: "Unsqueeze", inputs: [float([3, 2]), int64s(0, -1)] },
  { operator: "Unsqueeze", inputs: [float([3, 2])], attributes: { axes: ints(1, 2) }, operatorSet: 11 },
  { operator: "Gather", inputs: [parameter([5, 3]), integer([2, 4], 5)], note: "embedding" },
];

describe("operators that move elements", () => {
  for (const row of CASES) test(caseName(row), () => checkOperator(row));
});
