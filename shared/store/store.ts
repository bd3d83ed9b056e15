/**
 * Content-addressed storage: bytes under the SHA-256 of themselves. Every `get` verifies before it returns, so a store
 * can withhold but never mislead.
 */

/** Lower-case hex SHA-256 of the content, 64 characters. */
export type ContentId = string & { readonly __contentId: unique symbol };

export interface Store {
  /** Where the store is, for messages. */
  readonly location: string;
  put(bytes: Uint8Array): Promise<ContentId>;
  /** @throws StoreMissingError when absent, StoreCorruptError when the bytes do not hash to `id`. */
  get(id: ContentId): Promise<Uint8Array>;
  has(id: ContentId): Promise<boolean>;
}
