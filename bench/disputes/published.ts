/**
 * What others' disputes cost. None of the three publishes a table of a whole dispute: these figures were measured on the
 * published contracts when this protocol was designed, and are not measured again here (execution gas, without the 21,000 of each
 * transaction, which Touchstone's own figures contain).
 */
export interface Published {
  readonly name: string;
  /** Where the contracts are. */
  readonly source: string;
  readonly round: string;
  readonly adjudicate: string;
  readonly total: string;
}

export const PUBLISHED: readonly Published[] = [
  {
    name: "Optimism, FaultDisputeGame",
    source:
      "https://github.com/ethereum-optimism/optimism/blob/develop/packages/contracts-bedrock/src/dispute/FaultDisputeGame.sol",
    round: "208k to 237k a move of 1 bit",
    adjudicate: "329k",
    total: "26.1M",
  },
  {
    name: "Arbitrum, BoLD",
    source: "https://github.com/OffchainLabs/bold/blob/main/contracts/src/challengeV2/EdgeChallengeManager.sol",
    round: "387k to 478k a move of 1 bit",
    adjudicate: "118k to 202k (mock prover)",
    total: "about 30M",
  },
  {
    name: "Cartesi, PRT",
    source: "https://github.com/cartesi/dave/tree/main/prt/contracts",
    round: "61k a move of 1 bit",
    adjudicate: "143k (mock step)",
    total: "about 6.7M",
  },
];
