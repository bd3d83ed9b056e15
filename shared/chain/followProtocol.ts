/** The events of a deployment's market and game, as one typed stream. */
import type { Chain } from "./connect.ts";
import { type Artifact, contractAbi } from "./contracts.ts";
import type { Deployment } from "./deployments.ts";
import { type FollowedEvent, type FollowOptions, followEvents } from "./follower.ts";

type ProtocolAbi = readonly [...Artifact<"TrainingMarket">["abi"], ...Artifact<"DisputeGame">["abi"]];

/** Any event of the market or the game, told apart by `eventName`. */
export type ProtocolEvent = FollowedEvent<ProtocolAbi>;

/** @throws as `followEvents`. */
export function followProtocol(
  chain: Chain,
  { market, game }: Pick<Deployment, "market" | "game">,
  options: Omit<FollowOptions<ProtocolAbi>, "chain" | "addresses" | "abi"> = {},
): AsyncGenerator<ProtocolEvent, void, undefined> {
  const abi: ProtocolAbi = [...contractAbi("TrainingMarket"), ...contractAbi("DisputeGame")];
  return followEvents({ ...options, chain, addresses: [market, game], abi });
}
