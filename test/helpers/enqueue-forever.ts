/**
 * A process for crash tests: enqueues numbered requests from argv[3] on into the queue at argv[2], sending to argv[4], until it
 * is killed. A number is printed when its enqueue ended: from then on it must not be lost.
 */
import { writeSync } from 'node:fs'
import { Exporter } from '../../src/export/exporter.ts'
import { destinationOptions, exporterOptions, numbered } from './exporting.ts'

const [directory = '', from = '0', endpoint = ''] = process.argv.slice(2)
const exporter = new Exporter(
  exporterOptions(directory, [destinationOptions({ endpoint })], { maxBytes: 4 << 20 }),
)
await exporter.open()
for (let number = Number(from); ; number += 2) {
  await exporter.enqueue([numbered(number, 100 + (number % 50) * 100), numbered(number + 1, 3000)])
  writeSync(1, `${number}\n${number + 1}\n`)
}
