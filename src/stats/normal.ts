/** The normal distribution: tails and quantiles. */

/** Two-sided 95 % quantile. */
export const Z95 = 1.959963984540054

/** Probability of a standard normal value above z; relative error below 1e-7 down to 1e-300. */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z)
  if (z > 38) return 0
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  // Near 0 the series of odd powers, z + z^3/3 + z^5/15 + ...; further out Laplace's continued fraction.
  if (z < 3) {
    let term = z
    let sum = z
    for (let n = 3; term > sum * 1e-17; n += 2) {
      term *= (z * z) / n
      sum += term
    }
    return 0.5 - density * sum
  }
  let fraction = z
  for (let k = 80; k >= 1; k--) fraction = z + k / fraction
  return density / fraction
}

/** The z whose upper tail is `tail`, 0 < tail < 1. */
export function upperQuantile(tail: number): number {
  let [low, high] = [-40, 40]
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (upperTail(middle) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
