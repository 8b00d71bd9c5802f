/** The outline of a frame as the points of a polygon. */

/** The corners of wider frames are cut by this much, which is not told from a radius of twice as much. */
const CORNER_PX = 1
const MIN_ROUND_PX = 5

/** A box with cut corners, in pixels of its drawing. */
export function framePoints(left: number, top: number, width: number, height: number): string {
  const [right, bottom] = [rounded(left + width), rounded(top + height)]
  const [x, y] = [rounded(left), rounded(top)]
  if (width < MIN_ROUND_PX) return `${x} ${y} ${right} ${y} ${right} ${bottom} ${x} ${bottom}`
  const [x1, y1] = [rounded(x + CORNER_PX), rounded(y + CORNER_PX)]
  const [x2, y2] = [rounded(right - CORNER_PX), rounded(bottom - CORNER_PX)]
  return `${x1} ${y} ${x2} ${y} ${right} ${y1} ${right} ${y2} ${x2} ${bottom} ${x1} ${bottom} ${x} ${y2} ${x} ${y1}`
}

/** To a hundredth of a pixel: the shorter the text, the sooner it is read. */
function rounded(px: number): number {
  return Math.round(px * 100) / 100
}
