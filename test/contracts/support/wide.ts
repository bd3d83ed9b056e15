/** A small program whose reductions are too long to be recomputed whole: Dot and SumByIndex over 100 rows, Sum and Peak over 300 words. */
import { Dtype } from "../../../shared/program/descriptor.ts";
import type { Program } from "../../../shared/program/program.ts";
import { along, ProgramBuilder, rowMajor, view } from "../../helpers/builder.ts";

export function wideProgram(): Program {
  const build = new ProgramBuilder();
  const x = build.batch("x", 100, 3, Dtype.float32, -4, 4);
  const token = build.batch("token", 100, 1, Dtype.int32, 0, 4);
  const rate = build.schedule("rate");
  const weight = build.state("weight", [3, 3]);
  const table = build.state("table", [5, 3]);
  const product = build.matmul("product", x, weight);
  const square = build.map("square", [100, 3], [along(product, 2, [0, 1])], (body, y) => {
    body.clamp(body.flush(body.do("mul", y, y)), 8);
  });
  const loss = build.total("loss", square);
  const updates = [
    [weight, build.matmul("weight.gradient", x, square, { aTransposed: true })],
    [table, build.sumByIndex("table.gradient", x, token, 5)],
  ] as const;
  for (const [state, gradient] of updates) {
    const strides = rowMajor(state.shape);
    const operands = [view(state, strides), view(gradient, strides), view(rate, [0, 0])];
    const next = build.map(`${build.nameOf(state)}.next`, state.shape, operands, (body, w, g, r) => {
      body.clamp(body.flush(body.do("sub", w, body.flush(body.do("mul", g, r)))), 8);
    });
    build.update(state, next);
  }
  return build.build(loss, product);
}
