import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../../shared/engine/kernels/layout.ts";
import { type Command, planProgram } from "../../../shared/engine/kernels/plan.ts";
import { embeddingProgram, randomProgram, regressionProgram } from "../../helpers/programs.ts";

const touched = (command: Command): number[] => {
  if (command.kind === "kernel") return command.places.map(({ buffer }) => buffer);
  if (command.kind === "product") return [command.a, command.b, command.c];
  return [command.kind === "keep" ? command.from : command.to];
};

test("buffers that live at one time lie apart, and the memory is used again", () => {
  let reused = 0;
  for (const program of [
    regressionProgram(),
    embeddingProgram(),
    ...Array.from({ length: 40 }, (_, i) => randomProgram(i)),
  ]) {
    {
      const plan = planProgram(program);
      const { offsets, bytes } = layOut(plan);
      const lives = plan.buffers.map(({ lasting, bytes: size }, buffer) => {
        const uses = plan.commands.flatMap((command, at) => (touched(command).includes(buffer) ? [at] : []));
        const [first, last] = lasting ? [-1, plan.commands.length] : [Math.min(...uses), Math.max(...uses)];
        return { first, last, start: offsets[buffer]!, end: offsets[buffer]! + size };
      });
      // What is done when a state is loaded stands throughout all steps.
      assert.ok(plan.prologue.every((command) => touched(command).every((buffer) => plan.buffers[buffer]!.lasting)));
      for (const [i, a] of lives.entries()) {
        assert.ok(a.start % 64 === 0 && a.end <= bytes);
        for (const b of lives.slice(i + 1)) {
          const together = a.first <= b.last && b.first <= a.last;
          const overlap = a.start < b.end && b.start < a.end;
          assert.ok(!(together && overlap), `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
          if (overlap) reused++;
        }
      }
    }
  }
  assert.ok(reused > 0);
});

test("a state tensor is overwritten where it lies when nobody reads the old one afterwards", () => {
  const inPlace = planProgram(regressionProgram()).state.filter(({ before, after }) => before === after);
  assert.ok(inPlace.length > 0);
});
