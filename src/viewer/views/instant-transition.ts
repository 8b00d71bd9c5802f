/**
 * Stands in for d3-transition in the bundle: every transition ends at once.
 *
 * d3-flame-graph 5.0.0 starts four transitions a frame on each update and writes labels only when they end; with a
 * thousand frames that is most of the time of a zoom, and the frames it would move are others than before (ids are
 * renumbered on every update). Here `transition()` gives the selection back, so attributes and labels are set in the
 * same task. To be removed when d3-flame-graph can be told to draw without transitions.
 */
import { selection } from 'd3-selection'

interface Instant {
  transition(): Instant
  duration(): Instant
  ease(): Instant
  delay(): Instant
}

const instant = selection.prototype as Instant

function itself(this: Instant): Instant {
  return this
}

instant.transition = itself
instant.duration = itself
instant.ease = itself
instant.delay = itself
