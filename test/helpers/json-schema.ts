/** Checks values against the JSON schemas of this repository and of the formats we write. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { packageRoot } from '../../src/native/addon.ts'

const validators = new Map<string, ValidateFunction>()

function validatorOf(path: string): ValidateFunction {
  const known = validators.get(path)
  if (known) return known
  const schema = JSON.parse(readFileSync(join(packageRoot(), path), 'utf8'))
  const options = { strict: false, allErrors: true }
  const ajv = String(schema.$schema).includes('2020-12') ? new Ajv2020(options) : new Ajv(options)
  const validate = ajv.compile(schema)
  validators.set(path, validate)
  return validate
}

/** Fails with every violation when `value` does not follow the schema file at `path` (relative to the package). */
export function assertValid(path: string, value: unknown): void {
  const validate = validatorOf(path)
  const isValid = validate(value)
  assert.ok(isValid, `${path}: ${JSON.stringify(validate.errors?.slice(0, 5))}`)
}
