/**
 * The number that a dispute ended at, from the chain alone: the position from the logs, the claimed word from the tile that was
 * opened, the expected one recomputed from the witness in the deciding transaction's calldata.
 */
import { bytesToWords, TILE_WORDS } from "../../shared/commitment/tile.ts";
import { formatWord, type LocatedFault, tensorName } from "../../shared/dispute/located.ts";
import type { ChallengerMove } from "../../shared/dispute/moves.ts";
import { asReducing } from "../../shared/dispute/partials.ts";
import { partOf, type Range } from "../../shared/dispute/parts.ts";
import type { Walk } from "../../shared/dispute/walk.ts";
import { type Job, stepPosition } from "../../shared/job/job.ts";
import { multiIndex, operandLine, tilesOfRange } from "../../shared/operators/address.ts";
import { combine, element as elementOf, finish, partialValue } from "../../shared/operators/element.ts";
import type { Read } from "../../shared/operators/read.ts";
import type { Operator } from "../../shared/program/descriptor.ts";
import { decodeOperator } from "../../shared/program/encoding.ts";
import type { Claim, PlayedGame } from "./gameOnChain.ts";

type Adjudicate = Extract<ChallengerMove, { kind: "adjudicate" }>;
type AdjudicatePartial = Extract<ChallengerMove, { kind: "adjudicatePartial" }>;
type Witness = Adjudicate["witness"];

/** Null when time decided. */
export function locate(job: Job, { walk, deciding, claims }: PlayedGame): LocatedFault | null {
  if (deciding.functionName === "claimTimeout") return null;
  const { position, subject, tile } = walk;
  const element = deciding.functionName === "adjudicate" ? Number(deciding.args[1]) : position.element;
  return {
    segment: subject!.segment,
    step: subject!.firstStep + position.step,
    operator: tensorName(job.program, position.tensor, position.ofState),
    tile: position.index,
    element,
    expectedBits: formatWord(expectedWord(job, walk, deciding, claims)),
    claimedBits: formatWord(tile![element]!),
  };
}

function expectedWord(job: Job, walk: Walk, deciding: PlayedGame["deciding"], claims: readonly Claim[]): number {
  const { ofState, count, step } = walk.position;
  if (deciding.functionName === "adjudicate") {
    const [, element, , , descriptor, , witness] = deciding.args as [
      unknown,
      number,
      unknown,
      unknown,
      Adjudicate["descriptor"],
      unknown,
      Witness,
    ];
    const at = walk.wordAt(element);
    if (at >= count) return 0;
    if (ofState) return wordsOf(witness[0]!)[element]!;
    const operator = decodeOperator(Buffer.from(descriptor.descriptor.slice(2), "hex"));
    const range = { lo: 0, hi: "length" in operator ? operator.length : 1 };
    const position = stepPosition(job, walk.subject!.firstStep + step);
    return elementOf(operator, at, witnessReader(operator, at, range, witness), position);
  }
  const [, choice, , descriptor, , witness] = deciding.args as [
    unknown,
    AdjudicatePartial["choice"],
    unknown,
    AdjudicatePartial["descriptor"],
    unknown,
    Witness,
  ];
  const operator = asReducing(decodeOperator(Buffer.from(descriptor.descriptor.slice(2), "hex")));
  const at = walk.wordAt(walk.position.element);
  const range = partOf(walk.position, choice.part);
  const read = witnessReader(operator, at, range, witness);
  let { value, exponent } = partialValue(operator, at, range.lo, range.hi, read) as {
    value: bigint;
    exponent: number | bigint;
  };
  // Upwards with the part put right: exact where no other part is wrong.
  for (const claim of [...claims].reverse()) {
    const least = claim.exponent < BigInt(exponent) ? claim.exponent : BigInt(exponent);
    const values = claim.values.map((other) => other << (claim.exponent - least));
    value = combine(operator, values.with(claim.chosen, value << (BigInt(exponent) - least)));
    exponent = least;
  }
  return finish(operator, value, exponent);
}

/** Reads operands from the tiles of a witness, which come in the order of the descriptor's operands. */
function witnessReader(operator: Operator, element: number, { lo, hi }: Range, witness: Witness): Read {
  const tiles = witness.map(wordsOf);
  const word = (tile: Uint32Array | undefined, address: number): number => tile?.[address % TILE_WORDS] ?? 0;
  switch (operator.family) {
    case "batch":
    case "schedule":
    // A join brings the tile of the one operand that holds the element.
    case "join":
      return (_, address) => word(tiles[0], address);
    case "gather":
      // The table's tile comes first, and only where the index names a row.
      return (operand, address) => word(operand === 1 ? tiles.at(-1) : tiles[0], address);
  }
  const index = multiIndex(operator.shape, element);
  const brought = operator.operands.flatMap((operand, at) =>
    tilesOfRange(operandLine(operand, index), lo, hi).length > 0 ? [at] : [],
  );
  return (operand, address) => word(tiles[brought.indexOf(operand)], address);
}

function wordsOf({ words }: Witness[number]): Uint32Array {
  return bytesToWords(Buffer.from(words.slice(2), "hex"));
}
