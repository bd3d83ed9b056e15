/** Whole disputes: a false claim is convicted whatever it is about, an honest one never, whatever the challenger does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "../../shared/job/job.ts";
import type { Family } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { embeddingProgram, exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { deployArena, networkHelpers } from "./support/arena.ts";
import type { Lie } from "./support/claimed.ts";
import { lieAbout, randomPlace } from "./support/lies.ts";
import { Reason } from "./support/player.ts";
import { disputeSolver, disputeVerifier } from "./support/scene.ts";
import { wideProgram } from "./support/wide.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const SEEDS = DEEP ? 150 : 12;

function example(program: Program, seed: number): { job: Job; initial: Tensor[] } {
  return { job: exampleJob(program, seed, { steps: 5, interval: 3 }), initial: exampleState(program, seed) };
}

async function arena() {
  return networkHelpers.loadFixture(deployArena);
}

const CONVICTED = (reason: number) => ({ defendantConvicted: true, reason });

describe("a false word of a trace is convicted", () => {
  for (const family of ["map", "dot", "sum", "sumByIndex", "peak", "gather", "batch", "schedule"] as const) {
    it(`in ${family}`, async () => {
      const { job, initial } = example(embeddingAndRegression(family), 3);
      const operator = job.program.operators.findLastIndex((named) => named.operator.family === family);
      const { lie } = lieAbout(job, new Random(4), 1, operator, 0);
      const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie, segment: 1 });
      await dispute.play();
      assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.element));
    });
  }

  for (const family of ["dot", "sum", "sumByIndex", "peak"] as const) {
    it(`in a long ${family}, by its partial results`, async () => {
      const { job, initial } = example(wideProgram(), 5);
      const operator = job.program.operators.findIndex(
        ({ operator }) => operator.family === family && operator.length > 64,
      );
      const told = lieAbout(job, new Random(6), 0, operator, 0);
      const { dispute } = await disputeSolver({ arena: await arena(), job, initial, ...told });
      await dispute.play();
      assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.partial));
    });
  }

  it("anywhere in random programs", async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed);
      const { job, initial } = example(randomProgram(seed), seed);
      const segment = random.below(2);
      const { step, operator, element } = randomPlace(job, random, segment === 0 ? 3 : 2);
      const told = lieAbout(job, random, step, operator, element);
      const { dispute } = await disputeSolver({ arena: await arena(), job, initial, segment, ...told });
      await dispute.play();
      const { defendantConvicted } = await dispute.outcome();
      assert.equal(defendantConvicted, true, `seed ${seed}`);
    }
  });
});

function embeddingAndRegression(family: Family): Program {
  return family === "gather" || family === "sumByIndex" ? embeddingProgram() : regressionProgram();
}

function flip(words: Uint32Array, at: number): void {
  words[at]! ^= 1;
}

function stateLie(step: number, change: (state: Uint32Array[]) => void): Lie {
  return {
    state: (at, state) => {
      if (at === step) change(state);
    },
  };
}

/** Two words more than the tensor has, the second one not zero. */
function lengthen(tensors: Uint32Array[], at: number): void {
  tensors[at] = Uint32Array.from([...tensors[at]!, 0, 1]);
}

describe("a false state is convicted", () => {
  it("when it is not its source's output", async () => {
    const { job, initial } = example(regressionProgram(), 1);
    const lie = stateLie(2, (state) => flip(state[1]!, 0));
    const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.store));
  });

  for (const step of [0, 1]) {
    it(`when an unchanged tensor changes in step ${step} of a segment`, async () => {
      const { job, initial } = example(embeddingProgram(), 2);
      const lie = stateLie(step, (state) => flip(state[1]!, 5));
      const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie, segment: 1 });
      await dispute.play();
      assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.store));
    });
  }
});

describe("anything but zero in the padding is convicted", () => {
  const { job, initial } = example(regressionProgram(), 7);
  const junk = `0x${"ab".repeat(32)}` as const;

  it("in a segment", async () => {
    const lie = { leaves: (leaves: `0x${string}`[]) => void leaves.push(junk) };
    const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("in a trace", async () => {
    const lie = { outputs: (_: number, outputs: Uint32Array[]) => void outputs.push(new Uint32Array(3)) };
    const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("in a state", async () => {
    const three = { ...job, program: threeStates(job.program) };
    const lie = { state: (_: number, state: Uint32Array[]) => void state.push(new Uint32Array(3)) };
    const start = [...initial, initial[1]!];
    const { dispute } = await disputeSolver({ arena: await arena(), job: three, initial: start, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("in the last tile of an output", async () => {
    const lie = { outputs: (_: number, outputs: Uint32Array[]) => lengthen(outputs, 4) };
    const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("in the last tile of a state tensor", async () => {
    const lie = { state: (_: number, state: Uint32Array[]) => lengthen(state, 0) };
    const { dispute } = await disputeSolver({ arena: await arena(), job, initial, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("in the tiles of a tensor", async () => {
    const wide = example(wideProgram(), 8);
    const operator = wide.job.program.operators.findIndex(({ name }) => name === "square");
    // 300 words are five tiles of eight.
    const lie = {
      outputs: (_: number, outputs: Uint32Array[]) => {
        const words = new Uint32Array(6 * 64);
        words.set(outputs[operator]!);
        words[5 * 64] = 1;
        outputs[operator] = words;
      },
    };
    const { dispute } = await disputeSolver({ arena: await arena(), ...wide, lie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });
});

/** The program with one more tensor of state, so that its tree has padding. */
function threeStates(program: Program): Program {
  return { ...program, state: [...program.state, { ...program.state[1]!, name: "still", source: null }] };
}

describe("a verifier", () => {
  const { job, initial } = example(regressionProgram(), 9);
  const replace =
    (...steps: number[]) =>
    (leaves: `0x${string}`[]) => {
      for (const step of steps) leaves[step] = `0x${"cd".repeat(32)}`;
    };

  it("is convicted of a digest of other tiles", async () => {
    const digestLie = replace(0, 1);
    const { dispute } = await disputeVerifier({ arena: await arena(), job, initial, digestLie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.digest));
  });

  it("is convicted of a digest with something in its padding", async () => {
    const digestLie = (leaves: `0x${string}`[]) => void leaves.push(`0x${"cd".repeat(32)}`);
    const { dispute } = await disputeVerifier({ arena: await arena(), job, initial, digestLie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.opening));
  });

  it("is convicted of a segment that does not give the digest's states", async () => {
    const { lie: segmentLie } = lieAbout(job, new Random(1), 0, 3, 0);
    const { dispute } = await disputeVerifier({ arena: await arena(), job, initial, segmentLie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.element));
  });

  it("is convicted of a digest of one step", async () => {
    const single = { ...job, steps: 1, interval: 1, schedule: job.schedule.subarray(0, 1) };
    const digestLie = replace(0);
    const { dispute } = await disputeVerifier({ arena: await arena(), job: single, initial, digestLie });
    await dispute.play();
    assert.deepEqual(await dispute.outcome(), CONVICTED(Reason.digest));
  });

  it("that replayed is never convicted", async () => {
    for (let seed = 0; seed < SEEDS / 3; seed++) {
      const random = new Random(seed);
      const { dispute } = await disputeVerifier({
        arena: await arena(),
        ...example(randomProgram(seed), seed),
        random,
      });
      await dispute.play();
      const { defendantConvicted } = await dispute.outcome();
      assert.equal(defendantConvicted, false, `seed ${seed}`);
    }
  });
});

describe("an honest solver is never convicted", () => {
  it("by a challenger who chooses at random", async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed ^ 0xa77ac);
      const program = seed % 4 === 0 ? wideProgram() : randomProgram(seed);
      const scene = { arena: await arena(), ...example(program, seed), segment: random.below(2), random };
      const { dispute } = await disputeSolver(scene);
      await dispute.play();
      const { defendantConvicted } = await dispute.outcome();
      assert.equal(defendantConvicted, false, `seed ${seed}`);
    }
  });
});
