/** A step is valid when nothing that its guard measures is larger (docs/numerics.md, section 4). */
export const GUARD_LIMIT = 2 ** 20;
