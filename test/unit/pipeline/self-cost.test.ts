import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { SelfCost } from '../../../src/pipeline/self-cost.ts'

describe('SelfCost', () => {
  it('knows when this process was started, on the clock that counts from boot', () => {
    const uptimeNs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9
    const age = uptimeNs - new SelfCost().startBootNs
    assert.ok(Math.abs(age - process.uptime() * 1e9) < 1e9, `${age} ns old`)
  })

  it('adds what was spent elsewhere to its own CPU time, in nanoseconds', () => {
    const cost = new SelfCost()
    const { user, system } = process.cpuUsage()
    const { cpuNs } = cost.total(7e15)
    assert.ok(cpuNs >= 7e15 + (user + system) * 1000)
    assert.ok(cpuNs < 7e15 + (user + system) * 1000 + 1e9)
  })

  it('keeps the largest memory it saw', () => {
    const cost = new SelfCost()
    const before = cost.total(0).rssBytes
    assert.ok(before > 10e6)
    const held = Buffer.alloc(64e6, 1)
    cost.observe()
    assert.ok(cost.total(0).rssBytes >= before + 50e6)
    assert.equal(held.length, 64e6)
  })
})
