/**
 * Go programs: the function that burns is the leaf, its caller comes next, and a goroutine's stack ends where Go's own
 * ends. Frameless leaves, stack switches into C and back, stripped and position-independent forms.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { wilson } from '../../src/stats/interval.ts'
import {
  COMPLETENESS_HEAD,
  completenessRow,
  completeShare,
  profileTruth,
  Z,
} from '../helpers/native-stacks.ts'
import { countStacks, type NamedStack, namedStacks } from '../helpers/stacks.ts'

const RATE_HZ = 499
const SECONDS = '5'
const GOAL = 0.995
/** A raw stack (code whose rows are not loaded yet) holds one stack, not the one that it was switched from. */
const GOAL_SWITCHED = 0.98

const directory = join(packageRoot(), 'build/truth/go')
const built = spawnSync('sh', [join(packageRoot(), 'test/truth/go/build.sh'), directory], {
  encoding: 'utf8',
})
const needsGo = built.status === 3 && built.stdout.trim()
const needsCgo = needsGo || (built.stdout.includes('no C compiler') && 'no C compiler for cgo')

const rows: string[] = []

/** User frames from the root to the leaf; Go's assembly is called x.abi0 in symbol tables, x in its own. */
function userNames({ frames }: NamedStack): string[] {
  return frames.filter(({ kind }) => kind !== 'kernel').map(({ name }) => name.replace(/\.abi0$/, ''))
}

/** Samples whose stack ends in these frames, wherever the last one is on it. */
function countEnding(stacks: readonly NamedStack[], path: readonly string[]): number {
  return countStacks(stacks, (stack) => {
    const names = userNames(stack)
    const at = names.lastIndexOf(path.at(-1)!)
    return at >= path.length - 1 && path.every((name, i) => names[at - path.length + 1 + i] === name)
  })
}

/** Nearly all samples of the path's last function came along the whole path, from the root of a goroutine. */
function assertPath(stacks: readonly NamedStack[], path: readonly string[]): void {
  const all = countStacks(stacks, (stack) => userNames(stack).includes(path.at(-1)!))
  const whole = countEnding(stacks, path)
  assert.ok(all > 100, `${all} samples of ${path.at(-1)}`)
  assert.ok(whole >= 0.98 * all, `${whole} of ${all} samples of ${path.at(-1)} came by ${path.join(' > ')}`)
}

async function profileGo(program: string) {
  const run = await profileTruth([join(directory, program), SECONDS], RATE_HZ)
  rows.push(completenessRow(program, run.report))
  return { ...run, stacks: namedStacks(run.profile) }
}

describe('stacks of Go programs', { skip: needsGo }, () => {
  before(() => assert.equal(built.status, 0, built.stderr))
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))

  for (const program of ['split', 'split-stripped', 'split-pie'])
    it(`${program}: frameless leaves keep their callers`, async () => {
      const { stacks, truth, report } = await profileGo(program)
      assertPath(stacks, ['runtime.goexit', 'main.main.func1', 'main.work', 'main.callA', 'main.burnA'])
      const wide = ['main.work', 'main.wideB', 'main.callB', 'main.burnB']
      assertPath(stacks, ['runtime.goexit', 'main.main.func1', ...wide])
      const [a, b] = ['main.burnA', 'main.burnB'].map((name) =>
        countStacks(stacks, (stack) => userNames(stack).includes(name)),
      ) as [number, number]
      const { low, high } = wilson(a, a + b, Z)
      const share = truth.burnA! / (truth.burnA! + truth.burnB!)
      assert.ok(low <= share && share <= high, `${a} of ${a + b} samples, it measured ${share.toFixed(3)}`)
      assert.ok(completeShare(report) >= GOAL, JSON.stringify(report.stacks))
    })

  for (const program of ['switches', 'switches-stripped', 'switches-pie', 'switches-static'])
    it(`${program}: into C, back into Go, and to the clock`, { skip: needsCgo }, async () => {
      const { stacks, report } = await profileGo(program)
      const root = ['runtime.goexit', 'runtime.main', 'main.main', 'main.measured']
      assertPath(stacks, [...root, 'main.readClock'])
      const inC = stacks.filter((stack) => userNames(stack).includes('runtime.asmcgocall'))
      const fromMain = countStacks(inC, (stack) => {
        const names = userNames(stack)
        const calls = root.every((name, i) => names[i] === name)
        return (
          calls && /^main\.(throughC|backFromC) main\._Cfunc_call_/.test(names.slice(root.length).join(' '))
        )
      })
      assert.ok(
        fromMain > 100 && fromMain >= 0.98 * countStacks(inC),
        `${fromMain} of ${countStacks(inC)} in C`,
      )
      // The callback's stack goes on through C to the goroutine that called it.
      const back = countStacks(stacks, (stack) => userNames(stack).includes('main.burnBelow'))
      const whole = countStacks(stacks, (stack) => {
        const names = userNames(stack)
        const order = ['main.backFromC', 'runtime.asmcgocall', 'runtime.cgocallback', 'main.burnBelow']
        const at = order.map((name) => names.indexOf(name))
        return at.every((place, i) => place > (at[i - 1] ?? 0)) && names[0] === 'runtime.goexit'
      })
      assert.ok(back > 100 && whole >= 0.98 * back, `${whole} of ${back} callbacks are whole`)
      assert.ok(completeShare(report) >= GOAL_SWITCHED, JSON.stringify(report.stacks))
    })
})
