/** The private key of a program's account: from the environment or a file, never from the command line (docs/cli.md). */
import { readFile } from "node:fs/promises";
import { Keystore } from "ox";
import type { Hex } from "viem";
import { TouchstoneError } from "./errors.ts";

export class KeyMissingError extends TouchstoneError {
  readonly code = "KEY_MISSING";
  constructor() {
    super("No private key was given.", { remedy: "Set TOUCHSTONE_KEY, or name a file with --key-file." });
  }
}

export class KeyInvalidError extends TouchstoneError {
  readonly code = "KEY_INVALID";
  constructor(source: string, detail: string, cause?: unknown) {
    super(`The private key in ${source} cannot be used: ${detail}.`, {
      cause,
      remedy: "Give 32 bytes in hex, or a keystore v3 file with its password in TOUCHSTONE_PASSWORD.",
    });
  }
}

const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/**
 * @param keyFile file with a hex key or a keystore v3 document; wins over TOUCHSTONE_KEY.
 * @throws KeyMissingError, KeyInvalidError; neither ever contains the key.
 */
export async function loadKey(
  keyFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Hex> {
  if (keyFile === undefined) {
    const key = environment.TOUCHSTONE_KEY;
    if (key === undefined || key === "") throw new KeyMissingError();
    return parseHexKey(key, "TOUCHSTONE_KEY");
  }
  let text: string;
  try {
    text = await readFile(keyFile, "utf8");
  } catch (cause) {
    throw new KeyInvalidError(keyFile, (cause as Error).message, cause);
  }
  return text.trimStart().startsWith("{")
    ? await decryptKeystore(text, keyFile, environment.TOUCHSTONE_PASSWORD)
    : parseHexKey(text, keyFile);
}

function parseHexKey(text: string, source: string): Hex {
  const digits = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text.trim())?.[1];
  if (digits === undefined) throw new KeyInvalidError(source, "it is not 64 hex digits");
  const value = BigInt(`0x${digits}`);
  if (value === 0n || value >= GROUP_ORDER) throw new KeyInvalidError(source, "it is no secp256k1 key");
  return `0x${digits.toLowerCase()}`;
}

async function decryptKeystore(text: string, file: string, password: string | undefined): Promise<Hex> {
  if (password === undefined) throw new KeyInvalidError(file, "it is a keystore and TOUCHSTONE_PASSWORD is not set");
  try {
    const keystore = JSON.parse(text) as Keystore.Keystore;
    const key = await Keystore.toKeyAsync(keystore, { password });
    return parseHexKey(await Keystore.decrypt(keystore, key), file);
  } catch (cause) {
    throw new KeyInvalidError(file, "the password is wrong or the keystore is damaged", cause);
  }
}
