import { type Command, InvalidArgumentError } from "commander";
import { erc20Abi, formatUnits, parseUnits } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { ContractRevertError } from "../../shared/chain/errors.ts";
import { Sender } from "../../shared/chain/sender.ts";
import { createOutput } from "../../shared/cli.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import { loadKey } from "../../shared/keys.ts";
import { addChainOptions, addKeyOption, type ChainOptions, openChain } from "../../shared/programOptions.ts";

interface FaucetOptions extends ChainOptions {
  readonly keyFile?: string;
  readonly tokens: bigint;
  readonly json?: boolean;
}

/** The local token's. */
const DECIMALS = 18;

export class NoFaucetError extends TouchstoneError {
  readonly code = "NO_FAUCET";
}

export function addFaucet(program: Command): void {
  const command = program
    .command("faucet")
    .summary("mint tokens of a local chain's market to the key's account")
    .description("Mints tokens to the key's account. Only a market on a local chain has such a token.")
    .option("--tokens <n>", "whole tokens", parseTokens, parseUnits("10000", DECIMALS));
  addKeyOption(addChainOptions(command)).action(async (options: FaucetOptions) => {
    const output = createOutput(options.json ?? false);
    const account = privateKeyToAccount(await loadKey(options.keyFile));
    const { chain, deployment } = await openChain(options);
    const sender = new Sender(chain, account);
    const { token: address } = deployment;
    try {
      await sender.send({
        address,
        abi: contractAbi("LocalToken"),
        functionName: "faucet",
        args: [options.tokens],
      });
    } catch (error) {
      if (!(error instanceof ContractRevertError)) throw error;
      throw new NoFaucetError(`The market's token at ${address} cannot be minted.`, {
        cause: error,
        remedy: "Only the token that ignition/modules/TouchstoneLocal.ts deploys has a faucet.",
      });
    }
    const balance = await chain.client.readContract({
      address,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [sender.address],
    });
    output.event(
      "minted",
      { address: sender.address, amount: options.tokens, balance },
      `${sender.address} has ${formatUnits(balance, DECIMALS)} tokens`,
    );
  });
}

function parseTokens(text: string): bigint {
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new InvalidArgumentError("It must be a positive integer.");
  return parseUnits(text, DECIMALS);
}
