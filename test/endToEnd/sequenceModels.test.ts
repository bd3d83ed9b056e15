/**
 * A solver that gets one word of a transformer's or an LSTM's step wrong loses its bond: the real market, the real game, the real referee,
 * with a fault in each kind of operator that such a step has.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { accuse } from "../../shared/dispute/challenger.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentSteps } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import { deployArena, networkHelpers, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask } from "../contracts/support/task.ts";
import { Random } from "../helpers/random.ts";
import { type TinyJob, tinyLstm, tinyTransformer } from "../helpers/sequenceJobs.ts";
import { playGame } from "./gameOnChain.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";

/** Operators whose names match get a fault each; with TOUCHSTONE_DEEP so does every other one. */
const CASES: readonly { readonly name: string; readonly build: () => TinyJob; readonly faults: readonly RegExp[] }[] = [
  {
    name: "transformer",
    build: tinyTransformer,
    faults: [/softmax\.total$/, /softmax\.exp$/, /norm\.squares$/, /gelu$/, /softmax\.mean$/],
  },
  { name: "LSTM", build: tinyLstm, faults: [/gates\.3$/, /grad\.2\.gates$/, /gates\.grad$/] },
];

for (const { name, build, faults } of CASES) {
  test(`a wrong word in a ${name} convicts, on the chain`, async (t) => {
    const { job, initialState } = build();
    const run = new Run(job);
    const training = commitTraining(job, initialState);
    const engine = await startOnnxRuntime(job.program);
    t.after(() => engine.close());
    const arena = await deployArena();
    const taskId = await startTask(arena, specOf(training, { clock: 36_000 }));
    const accepted = await networkHelpers.takeSnapshot();
    const honest = await evidenceOf(engineTracer(job, engine));
    const { operators } = job.program;
    const chosen = faults.map((fault) => operators.findIndex((each) => fault.test(each.name)));
    assert.ok(!chosen.includes(-1), `${chosen}`);
    const reasons = new Map<string, number>();
    for (const operator of DEEP ? operators.keys() : chosen) {
      const called = operators[operator]!.name;
      const lie = await evidenceOf(lyingIn(operator));
      // What changes no state is no checkpoint's fault.
      if (lie.endRoot === honest.endRoot) {
        assert.ok(!chosen.includes(operator), `a fault in ${called} changes nothing`);
        continue;
      }
      await accepted.restore();
      await append(arena, taskId, 0, lie.endRoot);
      const game = await playGame(
        arena,
        {
          defendant: {
            wallet: wallets.solver,
            move: (walk) => defend(run, lie.evidence, walk, { claimPartials: lyingPartials }),
          },
          challenger: { wallet: wallets.challenger, move: (walk) => accuse(run, honest.evidence, walk) },
        },
        taskId,
        0,
        training,
      );
      const { outcome, position } = game.walk;
      assert.equal(outcome?.defendantConvicted, true, called);
      assert.deepEqual([position.step, position.ofState, position.tensor], [1, false, operator], called);
      reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
      assert.equal(await arena.market.read.credit([wallets.solver.account.address]), 0n);
    }
    t.diagnostic(JSON.stringify(Object.fromEntries(reasons)));

    async function evidenceOf(tracer: Tracer) {
      const evidence = await SegmentEvidence.replay(tracer, initialState, segmentSteps(job, 0));
      let state = initialState;
      for (let step = 0; step < job.steps; step++) state = (await tracer.trace(step, state)).state;
      return { evidence, endRoot: stateRoot(state) };
    }

    /** Honest but for one word of an operator in the last step. */
    function lyingIn(operator: number): Tracer {
      const reference = engineTracer(job, new ReferenceEngine(job.program));
      const random = new Random(operator + 1);
      let at = -1;
      const { family } = job.program.operators[operator]!.operator;
      return {
        async trace(step, state) {
          const traced = await reference.trace(step, state);
          if (step !== job.steps - 1) return traced;
          const words = traced.outputs[operator]!.words.slice();
          // A changed zero would be a subnormal, which no later operator sees.
          const seen = [...words.keys()].filter((index) => words[index] !== 0);
          if (at < 0) at = random.pick(seen.length === 0 ? [0] : seen);
          words[at] = family === "peak" ? words[at]! + 0x800000 : words[at]! ^ 0x10000;
          return rerunWithOutput(job, step, state, operator, words);
        },
      };
    }
  });
}
