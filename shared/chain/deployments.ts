/** Where the protocol is on a chain: the market's address says it all, the rest is read from the market. */
import { readFile } from "node:fs/promises";
import { type Address, isAddress } from "viem";
import { z } from "zod";
import { TouchstoneError } from "../errors.ts";
import { type Chain, requireContract } from "./connect.ts";
import { contractAbi } from "./contracts.ts";
import { WrongChainError } from "./errors.ts";
import { chainError, isUnreachable } from "./revert.ts";

export interface Deployment {
  readonly market: Address;
  readonly game: Address;
  readonly referee: Address;
  readonly token: Address;
}

export class DeploymentError extends TouchstoneError {
  readonly code = "DEPLOYMENT";
  constructor(detail: string, cause?: unknown) {
    super(detail, { cause, remedy: "Give the address of a TrainingMarket, or a file that names one (--market)." });
  }
}

const deploymentFile = z.object({
  chainId: z.int().positive(),
  market: z.custom<Address>((value) => typeof value === "string" && isAddress(value, { strict: false })),
});

/**
 * Reads the addresses around a market.
 * @param market the market's address, or a JSON file `{"chainId":…,"market":…}`.
 * @throws NoContractError, DeploymentError, WrongChainError, ChainUnreachableError.
 */
export async function readDeployment(chain: Chain, market: string): Promise<Deployment> {
  const named = isAddress(market, { strict: false }) ? market : await marketOf(chain, market);
  const address = await requireContract(chain, named, "TrainingMarket");
  const { client } = chain;
  const abi = contractAbi("TrainingMarket");
  try {
    const [game, token] = await Promise.all([
      client.readContract({ address, abi, functionName: "game" }),
      client.readContract({ address, abi, functionName: "token" }),
    ]);
    const referee = await client.readContract({
      address: game,
      abi: contractAbi("DisputeGame"),
      functionName: "referee",
    });
    return { market: address, game, referee, token };
  } catch (error) {
    if (isUnreachable(error)) throw chainError(error, "reading the market failed", chain.url);
    throw new DeploymentError(`The contract at ${address} is not a TrainingMarket.`, error);
  }
}

async function marketOf(chain: Chain, file: string): Promise<Address> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new DeploymentError(`${JSON.stringify(file)} is neither an address nor a readable JSON file.`, error);
  }
  const parsed = deploymentFile.safeParse(content);
  if (!parsed.success) throw new DeploymentError(`${file} does not name a chain and a market.`, parsed.error);
  if (parsed.data.chainId !== chain.chainId) throw new WrongChainError(chain.url, parsed.data.chainId, chain.chainId);
  return parsed.data.market;
}
