/** The version of this package, as its package.json says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../native/addon.ts'

export function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string })
    .version
}
