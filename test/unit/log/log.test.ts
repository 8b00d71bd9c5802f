import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentError } from '../../../src/errors.ts'
import { AgentLog, type LogOptions } from '../../../src/log/log.ts'

/** A log into an array, with a clock that the test moves. */
function logInto(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const world = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5), fails: false }
  const log = new AgentLog(
    { level: 'info', format: 'text', ...options },
    {
      nowMs: () => world.nowMs,
      write: (line) => {
        if (world.fails) throw new Error('EAGAIN')
        lines.push(line)
      },
    },
  )
  return { log, lines, world }
}

test('a record is one line: time, level, component, message, fields', () => {
  const { log, lines } = logInto()
  log
    .of('export')
    .warn('cannot send', { destination: 'eu', status: 503, reason: 'try later', none: undefined })
  assert.deepEqual(lines, [
    '2026-01-02T03:04:05.000Z warn  export: cannot send destination=eu status=503 reason="try later"\n',
  ])
})

test('as JSON a record is one object, whose own keys no field replaces', () => {
  const { log, lines } = logInto({ format: 'json' })
  log.of('export').warn('cannot send', { status: 503, message: 'fake', level: 'info', ok: false, gone: null })
  assert.equal(lines.length, 1)
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: '2026-01-02T03:04:05.000Z',
    level: 'warn',
    component: 'export',
    message: 'cannot send',
    status: 503,
    field_message: 'fake',
    field_level: 'info',
    ok: false,
    gone: null,
  })
})

test('hostile text stays on its line and moves no cursor', () => {
  for (const format of ['text', 'json'] as const) {
    const { log, lines } = logInto({ format })
    log.info('bad\nmessage', { answer: 'a\r\nFAKE 2026 error\u001b[2J\u2028\u202ex\u0085"quoted" =' })
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /^[^\u0000-\u001f\u007f-\u009f\u2028\u202e]*\n$/)
    if (format === 'json') assert.match(JSON.parse(lines[0]!).answer, /\u001b\[2J/)
  }
})

test('levels below the one set are not counted or written; set() changes it', () => {
  const { log, lines } = logInto({ level: 'warn' })
  log.info('no')
  log.set({ level: 'debug', format: 'text' })
  log.debug('yes')
  assert.equal(lines.length, 1)
  assert.deepEqual(log.stats().records, { debug: 1, info: 0, warn: 0, error: 0 })
})

test('the fourth record of a message in a minute is held back and told with the next one shown', () => {
  const { log, lines, world } = logInto()
  for (let i = 0; i < 10; i++) log.warn('cannot send', { attempt: i })
  assert.equal(lines.length, 3)
  log.warn('another message')
  assert.equal(lines.length, 4)
  world.nowMs += 61_000
  log.warn('cannot send', { attempt: 10 })
  assert.match(lines[4]!, /attempt=10 repeated=7\n$/)
  assert.equal(log.stats().heldBack, 7)
  assert.equal(log.stats().records.warn, 12)
})

test('another destination and another reason are no repeats, other numbers in the reason are', () => {
  const { log, lines } = logInto()
  for (let i = 0; i < 5; i++) log.warn('cannot send', { destination: 'a', error: `refused at ${i}` })
  assert.equal(lines.length, 3)
  for (let i = 0; i < 5; i++) log.warn('cannot send', { destination: 'b', error: `refused at ${i}` })
  assert.equal(lines.length, 6)
  log.warn('cannot send', { destination: 'a', error: new Error('the certificate expired') })
  assert.match(lines[6]!, /destination=a error="the certificate expired"\n$/)
  log.flush()
  assert.match(lines[7]!, /cannot send repeated=4\n$/)
})

test('a receiver that gives a new reason each time gets no more than twenty lines a minute', () => {
  const { log, lines, world } = logInto()
  const refuse = () => {
    for (let i = 0; i < 1000; i++)
      log.warn('cannot send', { error: 'abcdefghij'.repeat(20).slice(0, i % 200) })
  }
  refuse()
  assert.equal(lines.length, 20)
  world.nowMs += 61_000
  refuse()
  assert.equal(lines.length, 40)
})

test('flush() tells what was held back, once', () => {
  const { log, lines } = logInto()
  for (let i = 0; i < 5; i++) log.of('export').warn('cannot send')
  log.flush()
  log.flush()
  assert.equal(lines.length, 4)
  assert.match(lines[3]!, /warn {2}export: cannot send repeated=2\n$/)
})

test('a clock that is set back silences nothing for longer', () => {
  const { log, lines, world } = logInto()
  for (let i = 0; i < 5; i++) log.warn('cannot send')
  world.nowMs -= 3_600_000
  log.warn('cannot send')
  assert.match(lines[3]!, /repeated=2\n$/)
})

test('ten thousand different messages hold bounded memory and are all written', () => {
  const { log, lines } = logInto()
  for (let i = 0; i < 10_000; i++) log.warn(`message ${i}`)
  assert.equal(lines.length, 10_000)
})

test('secrets are masked: by name of the field, in URLs, after auth schemes, and known values anywhere', () => {
  const { log, lines } = logInto()
  log.setSecrets(['s3cr3t-header-value', 's3cr3t', 'on'])
  log.info('a s3cr3t-header-value in a message', {
    authorization: 'whatever',
    token: 'abc',
    'x-api-key': 'abc',
    headers: 'a=b',
    url: 'https://user:pa55word@collector:4318/x',
    answer: 'Authorization: Bearer eyJhbGciOi.x-y',
    error: new Error('refused', { cause: new Error('server says s3cr3t is not on the list') }),
  })
  assert.equal(
    lines[0],
    '2026-01-02T03:04:05.000Z info  agent: a *** in a message authorization=*** token=*** x-api-key=*** headers=*** ' +
      'url=https://***@collector:4318/x answer="Authorization: Bearer ***" error="refused: server says *** is not on the list"\n',
  )
})

test('an error is its message, its causes and its code; a circle of causes ends', () => {
  const { log, lines } = logInto()
  const circle = new Error('round')
  circle.cause = circle
  log.error('failed', { error: new AgentError('usage', 'outer', { cause: new Error('inner') }) })
  log.error('failed', { error: circle })
  assert.match(lines[0]!, /error="outer: inner" code=usage\n$/)
  assert.match(lines[1]!, /error=round\n$/)
})

test('a long field is cut and says how long it was; odd numbers are text', () => {
  const { log, lines } = logInto()
  log.info('got', { body: 'x'.repeat(100_000), ratio: Number.NaN, big: 2n ** 63n })
  assert.ok(lines[0]!.length < 1200)
  assert.match(lines[0]!, /\(100000 characters\)" ratio=NaN big=9223372036854775808\n$/)
})

test('when nobody reads the lines, the agent goes on and counts them', () => {
  const { log, world } = logInto()
  world.fails = true
  log.error('lost')
  assert.equal(log.stats().unwritten, 1)
})

test('listeners get what is printed, masked, until they leave', () => {
  const { log } = logInto()
  const heard: unknown[] = []
  const leave = log.listen(({ message, fields }) => heard.push([message, fields]))
  log.info('one', { password: 'x' })
  leave()
  log.info('two')
  assert.deepEqual(heard, [['one', { password: '***' }]])
})
