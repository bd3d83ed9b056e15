/** How far two sets of points are from having one distribution (Székely and Rizzo 2013): 0 for equal sets, and only then. */

/**
 * 2 E|x − y| − E|x − x′| − E|y − y′| with Euclidean distances, over all pairs.
 * @param a, b points as rows of `width` numbers; at least one each.
 */
export function energyDistance(a: Float32Array, b: Float32Array, width: number): number {
  return 2 * meanDistance(a, b, width) - meanDistance(a, a, width) - meanDistance(b, b, width);
}

function meanDistance(a: Float32Array, b: Float32Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += width) {
    for (let j = 0; j < b.length; j += width) {
      let square = 0;
      for (let k = 0; k < width; k++) {
        const difference = a[i + k]! - b[j + k]!;
        square += difference * difference;
      }
      sum += Math.sqrt(square);
    }
  }
  return (sum / (a.length / width)) * (width / b.length);
}
