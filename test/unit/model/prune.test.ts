import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flameTree } from '../../../src/model/flame-tree.ts'
import { type DrawnFrame, MAX_ROWS, prune } from '../../../src/model/prune.ts'
import { wholeTree, type Zoom, zoomInto, zoomOut } from '../../../src/model/zoom.ts'
import { largeProfile, profileOf } from '../../helpers/sample-profile.ts'

const WHOLE: Zoom = { node: 0, members: null }

function flatten(drawn: DrawnFrame): DrawnFrame[] {
  const all: DrawnFrame[] = []
  const open = [drawn]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    all.push(next)
    open.push(...next.children)
  }
  return all
}

test('never draws more than 1 200 things, and drops nothing wider than a pixel silently', () => {
  const tree = flameTree(largeProfile(200_000), 0)
  for (const widthPx of [300, 1000, 4000]) {
    const all = flatten(prune(tree, WHOLE, widthPx).top)
    assert.ok(all.length <= 1200, `${all.length} at ${widthPx} px`)
    for (const drawn of all.filter((d) => d.members === null)) {
      const below = drawn.children.reduce((sum, child) => sum + child.value, 0)
      const missing = drawn.value - tree.self[drawn.node]! - below
      assert.ok(missing < (tree.total[0]! / widthPx) * 1.001, `${missing} of ${drawn.value} left out`)
    }
  }
})

test('boxes name every member that is not drawn', () => {
  const light = Array.from({ length: 12 }, (_, i) => ({ frames: ['main', `light_${i}`], count: 1 }))
  const tree = flameTree(profileOf([{ frames: ['main', 'heavy'], count: 9988 }, ...light]), 0)
  const main = prune(tree, WHOLE, 1000).top.children[0]!
  const [heavy, box] = main.children
  assert.equal(heavy!.value, 9988)
  assert.equal(box!.members!.length, 12)
  assert.equal(box!.value, 12)
})

test('draws the children again that were too small once the zoom is on their parent', () => {
  const light = Array.from({ length: 12 }, (_, i) => ({ frames: ['side', `light_${i}`], count: 1 }))
  const tree = flameTree(profileOf([{ frames: ['heavy'], count: 9988 }, ...light]), 0)
  const side = [...tree.parent.keys()].find((node) => tree.parent[node] === 0 && tree.total[node] === 12)!
  assert.equal(prune(tree, { node: side, members: null }, 1000).top.children.length, 12)
})

test('splits a wide crowd into boxes that lead down to every member', () => {
  const crowd = Array.from({ length: 100_000 }, (_, i) => ({ frames: [`f${i}`], count: 1 }))
  const tree = flameTree(profileOf(crowd), 0)
  let zoom: Zoom = WHOLE
  let clicks = 0
  for (; clicks < 5; clicks++) {
    const { top } = prune(tree, zoom, 1000)
    assert.ok(top.children.length >= 30 && top.children.length <= 1200)
    const box = top.children.find((child) => child.members !== null)
    if (box === undefined) break
    zoom = { node: 0, members: box.members }
  }
  assert.equal(clicks, 2)
})

test('cuts rows, not memory, on a stack of 5 000 frames', () => {
  const tree = flameTree(
    profileOf([{ frames: Array.from({ length: 5000 }, (_, i) => `f${i}`), count: 3 }]),
    0,
  )
  const { top, rowsCut } = prune(tree, WHOLE, 1000)
  const all = flatten(top)
  assert.equal(rowsCut, true)
  assert.equal(all.length, MAX_ROWS + 2)
  const box = all.find((drawn) => drawn.members !== null)!
  assert.equal(box.members!.length, 1)
  assert.equal(box.value, 3)
})

test('draws an empty tree as a root without children', () => {
  assert.deepEqual(prune(flameTree(profileOf([]), 0), WHOLE, 1000).top.children, [])
})

test('a zoom chain leaves what does not contain the target, and goes out one step at a time', () => {
  const tree = flameTree(
    profileOf([
      { frames: ['a', 'b', 'c'], count: 1 },
      { frames: ['d'], count: 1 },
    ]),
    0,
  )
  const node = (path: number): Zoom => ({ node: path, members: null })
  const [a, d] = [...tree.parent.keys()].filter((n) => tree.parent[n] === 0)
  const deep = tree.firstChild[tree.firstChild[a!]!]!
  const chain = zoomInto(tree, zoomInto(tree, wholeTree(), node(a!)), node(deep))
  assert.deepEqual(
    chain.map((zoom) => zoom.node),
    [0, a, deep],
  )
  assert.deepEqual(
    zoomInto(tree, chain, node(d!)).map((zoom) => zoom.node),
    [0, d],
  )
  assert.deepEqual(
    zoomInto(tree, chain, node(a!)).map((zoom) => zoom.node),
    [0, a],
  )
  assert.deepEqual(
    zoomOut(chain).map((zoom) => zoom.node),
    [0, a],
  )
  assert.deepEqual(zoomOut(wholeTree()), wholeTree())
})
