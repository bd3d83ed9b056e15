/** PyTorch in a Python process, where this machine has one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { TouchstoneError } from "../shared/errors.ts";
import type { Contender } from "./contender.ts";
import { type Training, trainingStep } from "./models/training.ts";

const SCRIPT = path.join(import.meta.dirname, "pytorch.py");

class PyTorchError extends TouchstoneError {
  readonly code = "PYTORCH";
}

/** A Python with torch, or null. */
export function findPyTorch(): string | null {
  const candidates = ["/usr/bin/python3", "python3"];
  return candidates.find((python) => spawnSync(python, ["-c", "import torch"]).status === 0) ?? null;
}

export async function pytorchContender(python: string, training: Training, threads: number): Promise<Contender> {
  const limits = { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}`, MKL_NUM_THREADS: `${threads}` };
  const child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...limits } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: unknown): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new PyTorchError(`${SCRIPT} ended early (exit code ${child.exitCode}).`);
    return JSON.parse(value);
  };
  const { architecture, batch, optimizer, parameters } = training;
  await ask({
    ...{ threads, architecture, batch, optimizer },
    parameters: parameters.map(({ name, shape, values }) => ({ name, shape, values: base64(values) })),
  });
  return {
    async train(first, count) {
      const steps = Array.from({ length: count }, (_, i) => {
        const { input, targets, rate } = trainingStep(training, first + i);
        return { input: base64(input), targets: base64(targets), rate };
      });
      return (await ask(steps)) as number[];
    },
    close: () => end(child),
  };
}

function base64({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.stdin!.end();
  await exited;
}
