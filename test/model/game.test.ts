/**
 * The theorems of the game, each by looking at every state of the model: trees of every size up to three openings deep, every
 * strategy of both sides, every second. What the model shares with the contract is checked by traces.test.ts.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { census, type Game, type Play, solve } from "./explore.ts";
import { type OperatorShape, type Rules, type Shape, type State, startOf } from "./game.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
/** Openings from the root of a tree to its leaves, at most. */
const DEPTH = 3;

const RULES: readonly Rules[] = [
  { arity: 2, span: 1, tileWords: 2, parts: 2 },
  { arity: 2, span: 2, tileWords: 2, parts: 3 },
  { arity: 3, span: 1, tileWords: 3, parts: 2 },
];

/** Leaves of a tree that is opened at most three times on the way to one of them, the last time by a single level. */
function mostLeaves({ arity, span }: Rules): number {
  return arity ** (DEPTH * span - (span - 1));
}

const one = (): boolean => false;
const two = (_: number, lo: number, hi: number): boolean => hi - lo <= 2;

interface Size {
  readonly steps: number;
  readonly operators: number;
  readonly states: number;
  readonly tiles: number;
  readonly length: number;
}

/** Operators of three kinds, in tensors whose last tile is full or padded. */
function shapeOf(rules: Rules, { steps, operators, states, tiles, length }: Size, isVerifier: boolean): Shape {
  const words = tiles * rules.tileWords;
  const kinds: readonly OperatorShape[] = [
    { words: words - 1, length: 0, adjudicable: one, decodable: true },
    { words, length, adjudicable: one, decodable: true },
    { words: words - 1, length, adjudicable: two, decodable: true },
  ];
  return {
    steps,
    operators: Array.from({ length: operators }, (_, i) => kinds[(i + 1) % kinds.length]!),
    states: Array.from({ length: states }, (_, i) => (i % 2 === 0 ? words - 1 : words)),
    isVerifier,
  };
}

/** Every size of each tree by itself, the others small: what is below a leaf does not depend on the tree above it. */
function* games(rules: Rules): Generator<Game> {
  const most = mostLeaves(rules);
  const small: Size = { steps: 1, operators: 2, states: 2, tiles: 1, length: 3 };
  const sizes: Size[] = [];
  for (let n = 1; n <= most; n++) {
    // By default, of the larger trees only the smallest, those about a full level, and the largest.
    const isBetween = n < most - 1 && (n > rules.arity ** 2 + 1 || !isAboutPower(n, rules.arity));
    if (!DEEP && rules !== RULES[0] && isBetween) continue;
    if (2 * n <= most) sizes.push({ ...small, steps: n });
    sizes.push({ ...small, operators: n }, { ...small, states: n }, { ...small, tiles: n });
  }
  for (let length = 0; length <= rules.parts ** DEPTH; length++) sizes.push({ ...small, length });
  const edges = DEEP && rules.span === 1 ? [1, rules.arity + 1, most] : [most];
  for (const steps of edges.map((leaves) => Math.ceil((leaves - 1) / 2) || 1)) {
    for (const operators of edges) {
      for (const states of edges) {
        for (const tiles of edges) sizes.push({ steps, operators, states, tiles, length: rules.parts ** DEPTH });
      }
    }
  }
  for (const size of sizes) {
    for (const isVerifier of [false, true]) yield { rules, shape: shapeOf(rules, size, isVerifier) };
  }
}

function isAboutPower(n: number, base: number): boolean {
  let power = 1;
  while (power < n - 1) power *= base;
  return Math.abs(n - power) <= 1;
}

const SHORT_CLOCKS = { defendant: 2, challenger: 1 };
const LONG_CLOCKS = { defendant: 4, challenger: 3 };

const CLAIMS = [false, true].flatMap((digestWrong) => [false, true].map((endWrong) => ({ digestWrong, endWrong })));

/** Every dispute with a defendant that has lied, or has yet to: what an honest challenger may open. */
function lies(game: Game, defendant: number, challenger: number): State[] {
  return CLAIMS.filter(({ digestWrong, endWrong }) =>
    game.shape.isVerifier ? digestWrong && !endWrong : endWrong,
  ).map((claims) => startOf({ defendant, challenger, ...claims }));
}

/** The dispute with a defendant that has not lied. */
function truth(defendant: number, challenger: number): State[] {
  return [startOf({ defendant, challenger, digestWrong: false, endWrong: false })];
}

const describeRules = ({ arity, span }: Rules): string =>
  `arity ${arity}, ${span === 1 ? "one level" : `at most ${span} levels`} an opening`;

/** Shapes small enough to be played with clocks second by second. */
function timedGames(rules: Rules): Game[] {
  const sizes: Size[] = [
    { steps: 1, operators: 1, states: 1, tiles: 1, length: 0 },
    { steps: 2, operators: 3, states: 2, tiles: 2, length: 4 },
    ...(DEEP ? [{ steps: 4, operators: 5, states: 3, tiles: 5, length: 5 }] : []),
  ];
  return sizes.flatMap((size) =>
    [false, true].map((isVerifier) => ({ rules, shape: shapeOf(rules, size, isVerifier) })),
  );
}

describe("the model of the game", () => {
  for (const rules of RULES) {
    const name = describeRules(rules);

    it(`is finite, leaves nobody without a move, and ends in exactly one outcome (${name})`, (context) => {
      let states = 0;
      let transitions = 0;
      let longest = 0;
      const reasons = new Set<string>();
      for (const game of games(rules)) {
        const starts = CLAIMS.map((claims) => startOf({ defendant: 0, challenger: 0, ...claims }));
        const found = census(game, starts);
        states += found.states;
        transitions += found.transitions;
        longest = Math.max(longest, found.longest);
        for (const reason of found.reasons) reasons.add(reason);
      }
      // Whatever the contract can decide is reached, against either side.
      assert.equal(reasons.size, 12, [...reasons].sort().join(", "));
      context.diagnostic(`${states} states, ${transitions} transitions, at most ${longest} moves`);
    });

    theorem("an honest defendant wins against every challenger", name, (how) => {
      return every(games(rules), (game) => solve(game, truth(0, 0), "defendant", 0, how));
    });

    theorem("an honest challenger convicts every lying defendant", name, (how) => {
      return every(games(rules), (game) => solve(game, lies(game, 0, 0), "challenger", 0, how));
    });

    it(`takes moves up to the last second and time-outs after it, and never turns a clock up (${name})`, (context) => {
      let states = 0;
      for (const game of timedGames(rules).slice(0, DEEP ? undefined : 2)) {
        const starts = CLAIMS.map((claims) => startOf({ ...(DEEP ? LONG_CLOCKS : SHORT_CLOCKS), ...claims }));
        states += census(game, starts).states;
      }
      context.diagnostic(`${states} states`);
    });

    for (const honest of ["defendant", "challenger"] as const) {
      it(`lets an honest ${honest} win by a clock of one second a move, and by no shorter one (${name})`, (context) => {
        let states = 0;
        for (const game of timedGames(rules)) {
          const start = honest === "defendant" ? truth : lies.bind(null, game);
          const { moves } = solve(game, start(0, 0), honest, 0, "stated");
          for (const others of DEEP ? [0, 1, 2, 3] : [0, 2]) {
            const clocks = (own: number): State[] =>
              honest === "defendant" ? truth(own, others) : lies(game, others, own);
            const enough = solve(game, clocks(moves), honest, 1, "stated");
            assert.ok(enough.wins, `${moves} seconds are not enough`);
            const short = solve(game, clocks(moves - 1), honest, 1, "stated");
            assert.ok(!short.wins, `${moves - 1} seconds are enough`);
            states += enough.states + short.states;
          }
        }
        context.diagnostic(`${states} states`);
      });
    }

    it(`convicts an honest side that falls silent: the clocks decide, not good faith (${name})`, () => {
      for (const game of timedGames(rules)) {
        assert.ok(!solve(game, truth(0, 9), "defendant", 1, "any").wins);
        assert.ok(!solve(game, lies(game, 9, 0), "challenger", 1, "any").wins);
      }
    });
  }

  it("lets no move enter a tensor whose descriptor nobody can decode: its challenger loses by time, and nobody is stuck", () => {
    const rules = RULES[0]!;
    const operators: OperatorShape[] = [{ words: 2, length: 0, adjudicable: one, decodable: false }];
    const game: Game = { rules, shape: { steps: 1, operators, states: [2], isVerifier: false } };
    const { reasons } = census(game, lies(game, 1, 1));
    assert.ok(reasons.has("challenger timeout"));
    assert.ok(!solve(game, lies(game, 0, 0), "challenger", 0, "stated").wins);
    assert.ok(solve(game, truth(0, 0), "defendant", 0, "stated").wins);
  });

  it("is lost by a challenger that takes another than the first wrong child: what is to its left is the liar's", () => {
    const rules = RULES[0]!;
    const game: Game = {
      rules,
      shape: shapeOf(rules, { steps: 2, operators: 3, states: 2, tiles: 1, length: 3 }, false),
    };
    const { reasons } = census(game, lies(game, 0, 0));
    assert.ok(reasons.has("challenger element"));
  });
});

function every(games: Iterable<Game>, solution: (game: Game) => ReturnType<typeof solve>) {
  let states = 0;
  let moves = 0;
  let count = 0;
  for (const game of games) {
    const found = solution(game);
    assert.ok(found.wins, JSON.stringify(game));
    states += found.states;
    moves = Math.max(moves, found.moves);
    count++;
  }
  return { states, moves, count };
}

function theorem(title: string, rules: string, prove: (how: Play) => { states: number; moves: number; count: number }) {
  for (const [how, by] of [
    ["stated", "by the stated strategy"],
    ["any", "by some strategy, found without being told"],
  ] as const) {
    it(`${title} ${by} (${rules})`, (context: TestContext) => {
      const { states, moves, count } = prove(how);
      context.diagnostic(`${states} states of ${count} runs, at most ${moves} own moves`);
    });
  }
}
