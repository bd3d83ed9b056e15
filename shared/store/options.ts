export interface StoreOptions {
  /** Largest content that is read or written, in bytes; 1 GiB by default. */
  readonly maximumBytes?: number;
}

export const DEFAULT_MAXIMUM_BYTES = 2 ** 30;
