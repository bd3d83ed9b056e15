/** Who takes part in a benchmark: somebody who trains the same network on the same batches. */
export interface Contender {
  /** Trains steps `first … first + count − 1`; the losses of these steps. */
  train(first: number, count: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface Measurement {
  /** Least over the rounds of a round's milliseconds a step: what others do on the machine can only add to it. */
  readonly stepMs: number;
  /** Loss of the last step. */
  readonly loss: number;
}

/**
 * Lets all contenders train in turns, round by round, so that a busy moment of the machine meets all of them. The first round warms up
 * and does not count.
 */
export async function race(
  contenders: readonly Contender[],
  rounds: number,
  stepsOfRound: number,
): Promise<readonly Measurement[]> {
  const times = contenders.map((): number[] => []);
  const losses = contenders.map(() => Number.NaN);
  for (let round = 0; round <= rounds; round++) {
    for (const [who, contender] of contenders.entries()) {
      const started = performance.now();
      const roundLosses = await contender.train(round * stepsOfRound, stepsOfRound);
      if (round > 0) times[who]!.push((performance.now() - started) / stepsOfRound);
      losses[who] = roundLosses.at(-1)!;
    }
  }
  return contenders.map((_, who) => ({ stepMs: Math.min(...times[who]!), loss: losses[who]! }));
}
