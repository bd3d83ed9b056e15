import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits `milliseconds`.
 * @throws the signal's reason when it is aborted before.
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
