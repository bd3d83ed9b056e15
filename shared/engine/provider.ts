/** The execution providers that an engine runs on, each chosen by one option, and what is known of them. */
import { TouchstoneError } from "../errors.ts";
import { EngineFailedError } from "./errors.ts";
import type { Form } from "./hostedEngine.ts";
import { type DotRealisation, FLOAT32_ONLY, FLOAT64 } from "./realise/arithmetic.ts";

/** `cpu`, `webgpu` and `cuda`: of onnxruntime-node; `wasm`: onnxruntime-web's CPU kernels. */
export const PROVIDERS = ["cpu", "webgpu", "cuda", "wasm"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** `auto`: what is measured fastest here among those that pass the self-test. */
export const DOT_OPTIONS = ["auto", "float64", "digits32", "int8"] as const;
export type DotOption = (typeof DOT_OPTIONS)[number];

/** How an engine is run; no option changes a bit of what it computes. */
export interface EngineOptions {
  /** Default `cpu`. */
  readonly provider?: Provider;
  /** Threads of one kernel (cpu, and what cuda and webgpu leave to the CPU). Default 1. */
  readonly threads?: number;
  /** How Dot is realised. Default `auto`. */
  readonly dot?: DotOption;
}

/** How a provider is used unless an option says otherwise. */
interface ProviderTraits {
  readonly form: Form;
  /** Realisations of Dot that are worth a measurement beside the form's own. */
  readonly candidates: readonly DotRealisation[];
}

const TRAITS: Readonly<Record<Provider, ProviderTraits>> = {
  cpu: { form: "kernels", candidates: [] },
  wasm: { form: "kernels", candidates: [] },
  cuda: { form: FLOAT64, candidates: ["digits32", "int8"] },
  // WGSL has no float64; a Gemm of it would be left to the CPU.
  webgpu: { form: FLOAT32_ONLY, candidates: [] },
};

/** What the options come to. An option for Dot alone asks for a step as one model. */
export function traitsOf(provider: Provider, dot: DotOption): ProviderTraits {
  if (dot === "auto") return TRAITS[provider];
  const { form } = TRAITS[provider];
  return { form: { ...(form === "kernels" ? FLOAT64 : form), dot }, candidates: [] };
}

const REMEDY: Readonly<Record<Provider, string>> = {
  cpu: "Install the packages again; onnxruntime-node must support this platform.",
  webgpu: "It needs a graphics driver with Vulkan, Direct3D 12 or Metal. Use --provider cpu: the bits are the same.",
  cuda:
    "It needs an NVIDIA GPU, CUDA 12 with cuDNN 9, and onnxruntime-node's CUDA libraries (its install script fetches them). " +
    "Use --provider cpu: the bits are the same.",
  wasm: "Install the package onnxruntime-web, or use --provider cpu: the bits are the same.",
};

/** The machine or the installation lacks what the provider needs. */
export class ProviderUnavailableError extends TouchstoneError {
  readonly code = "PROVIDER_UNAVAILABLE";
  readonly provider: Provider;

  constructor(provider: Provider, cause: unknown) {
    const problem = cause instanceof EngineFailedError ? cause.problem : String(cause);
    super(`The provider ${provider} cannot be used here: ${problem}.`, { cause, remedy: REMEDY[provider] });
    this.provider = provider;
  }
}
