/** Stripped Go programs are named by the table their runtime keeps: the same names as nm gives before stripping. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { fileOffsets, listSymbols, resolveFile } from '../helpers/elf-tools.ts'

const directory = join(packageRoot(), 'build/truth/go')
const built = spawnSync('sh', [join(packageRoot(), 'test/truth/go/build.sh'), directory], {
  encoding: 'utf8',
})

describe('names of Go functions', { skip: built.status === 3 && built.stdout.trim() }, () => {
  it('are those of the symbol table, when that is gone', async () => {
    const [whole, stripped] = [join(directory, 'split'), join(directory, 'split-stripped')]
    const functions = listSymbols(whole).filter(({ size, name }) => size > 0 && !/^(go|type):/.test(name))
    assert.ok(functions.length > 1000, `${functions.length} functions`)
    const asked = functions.flatMap(({ address, size }) => [address, address + size - 1])
    const answer = await resolveFile(stripped, fileOffsets(stripped, asked))
    assert.deepEqual([answer.sources, answer.hasSymbols, answer.detail], [['.gopclntab'], true, ''])
    const wrong = functions.filter(({ address, name }, i) => {
      const plain = name.replace(/\.abi0$/, '')
      const found = [2 * i, 2 * i + 1].map((row) => answer.names[answer.name[row]!])
      return found.some((one) => one !== plain) || answer.symbolStart[2 * i] !== address
    })
    assert.deepEqual(wrong.slice(0, 5), [])
  })

  it('yield to a symbol table', async () => {
    const path = join(directory, 'split')
    const main = listSymbols(path).find(({ name }) => name === 'main.burnA')!
    const answer = await resolveFile(path, fileOffsets(path, [main.address]))
    assert.deepEqual([answer.sources, [...answer.names]], [['.symtab'], ['main.burnA']])
  })
})
