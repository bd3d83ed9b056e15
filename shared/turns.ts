/**
 * Long work in pieces, so that the thread that does it keeps its clocks: between two pieces whatever else is due gets its turn. What a stranger's
 * task makes this program compute by itself (batches, random numbers, hashes) may be as large as the stranger likes.
 */

/** Cost of a piece, in words made or hashed: some milliseconds. */
const PIECE = 2 ** 18;

export class Turns {
  #left = PIECE;

  /** To be called after work of some cost. @returns a promise when it is somebody else's turn. */
  after(cost: number): Promise<void> | undefined {
    this.#left -= cost;
    if (this.#left > 0) return undefined;
    this.#left = PIECE;
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Runs pieces, each of which says what it has cost, to the end at once. */
export function atOnce<T>(pieces: Generator<number, T>): T {
  for (;;) {
    const next = pieces.next();
    if (next.done === true) return next.value;
  }
}

/** Runs pieces with turns for others between them; short work is done at once. */
export function inTurns<T>(pieces: Generator<number, T>, turns = new Turns()): T | Promise<T> {
  for (;;) {
    const next = pieces.next();
    if (next.done === true) return next.value;
    const turn = turns.after(next.value);
    if (turn !== undefined) return turn.then(() => inTurns(pieces, turns));
  }
}
